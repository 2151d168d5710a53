package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// The functions of this file run in the goroutine of the poll loop.

// loop polls and delivers until the context ends.
func (r *Reader) loop(ctx context.Context) error {
	for ctx.Err() == nil {
		r.runPosted()
		arrivals, err := r.poll(ctx)
		if err != nil {
			return err
		}
		for _, a := range arrivals {
			r.deliver(ctx, a)
		}
	}
	return ctx.Err()
}

// arrival is what a poll brought for a feed that was open when it did.
type arrival struct {
	feed  *Feed
	batch Batch
	err   error // after the batch
}

// poll waits for fetches or for something that is posted.
func (r *Reader) poll(ctx context.Context) ([]arrival, error) {
	ctx, cancel := r.interruptible(ctx)
	defer cancel()
	fetches := r.client.PollFetches(ctx)
	now := time.Now()
	var arrivals []arrival
	var fatal error
	fetches.EachPartition(func(tp kgo.FetchTopicPartition) {
		switch {
		case isContext(tp.Err):
		case tp.Topic == "" && tp.Err != nil:
			fatal = fmt.Errorf("reading from Kafka: %w", tp.Err)
		case tp.Partition < 0:
			arrivals = append(arrivals, r.failures(tp.Topic, tp.Err)...)
		default:
			if a, ok := r.arrival(tp, now); ok {
				arrivals = append(arrivals, a)
			}
		}
	})
	return arrivals, fatal
}

func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// failures are those of an error that concerns every partition of a topic.
func (r *Reader) failures(topic string, err error) []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	var failed []arrival
	for p, f := range r.feeds {
		if p.Topic == topic && f.fetching {
			failed = append(failed, arrival{feed: f, err: err})
		}
	}
	return failed
}

// arrival finds the feed of a fetch and converts its records.
func (r *Reader) arrival(tp kgo.FetchTopicPartition, now time.Time) (arrival, bool) {
	r.mu.Lock()
	f := r.feeds[streams.Partition{Topic: tp.Topic, Partition: tp.Partition}]
	r.mu.Unlock()
	if f == nil || !f.fetching || tp.Err == nil && len(tp.Records) == 0 {
		return arrival{}, false
	}
	a := arrival{feed: f, err: tp.Err}
	if n := len(tp.Records); n > 0 {
		a.batch = Batch{
			Records:   appendRecords(r.slice(n), tp.Records, f.position),
			Next:      tp.Records[n-1].Offset + 1,
			Stable:    tp.LastStableOffset,
			FetchedAt: now,
			epoch:     tp.Records[n-1].LeaderEpoch,
			pool:      &r.records,
		}
	}
	return a, true
}

// slice returns an empty slice with room for n records.
func (r *Reader) slice(n int) []streams.Record {
	if s, ok := r.records.Get().(*[]streams.Record); ok && cap(*s) >= n {
		return *s
	}
	return make([]streams.Record, 0, n)
}

// deliver hands an arrival to its feed and waits for room, if need be.
func (r *Reader) deliver(ctx context.Context, a arrival) {
	if a.batch.Next > 0 {
		r.send(ctx, a.feed, a.batch)
	}
	if a.err == nil || ctx.Err() != nil {
		return
	}
	if mayBeWhole(a.err, a.feed) {
		r.refetch(a.feed, a.feed.position)
	} else {
		r.fail(a.feed, reason(a.err))
	}
	r.tellClient()
}

// mayBeWhole says whether fetching may begin anew at the position although the
// client reports a loss. It also takes it for one when it has passed aborted
// records of a newer leader, because it remembers the leader of the last record
// that it kept, and looks where the records of that one end. Where they end
// behind the position, nothing was lost; where the position is behind records of
// a newer leader, the client is to look where that one's end.
func mayBeWhole(err error, f *Feed) bool {
	var loss *kgo.ErrDataLoss
	return errors.As(err, &loss) && (loss.ResetTo >= f.position || loss.ConsumedToEpoch < f.epoch)
}

// send waits until the feed has room, for a while. What is posted meanwhile is
// done: another feed's end, or this one's, must not wait for a slow owner.
func (r *Reader) send(ctx context.Context, f *Feed, b Batch) {
	patience := time.NewTimer(stallAfter)
	defer patience.Stop()
	for !r.offer(f, &b) {
		room := f.batches
		if f.stalled {
			room = nil // what came before is still to be sent
		}
		wait, cancel := r.interruptible(ctx)
		select {
		case room <- b:
			r.sent(f, b)
			cancel()
			return
		case <-wait.Done(): // something is posted, the feed's end perhaps
		case <-patience.C:
			if !f.stalled {
				cancel()
				r.stall(ctx, f, b)
				return
			}
		}
		cancel()
		if ctx.Err() != nil {
			return
		}
		r.runPosted()
	}
}

// offer sends without waiting; false if there is no room now. A feed that has
// ended takes everything and keeps nothing. Afterwards b.First is the position.
func (r *Reader) offer(f *Feed, b *Batch) bool {
	if closed(f.done) || f.ended {
		return true
	}
	if f.stalled {
		return false
	}
	b.First = f.position
	for len(b.Records) > 0 && b.Records[0].Offset < b.First {
		b.Records = b.Records[1:]
	}
	b.Next = max(b.Next, b.First)
	select {
	case f.batches <- *b:
		r.sent(f, *b)
		return true
	default:
		return false
	}
}

func closed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// sent moves the feed behind a batch.
func (r *Reader) sent(f *Feed, b Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.position = b.Next
	f.stable = b.Stable
	f.epoch = max(f.epoch, b.epoch)
	f.quiet = b.FetchedAt
	f.overdue, f.missing = 0, 0
}

// register takes a new feed in; the watcher checks its position.
func (r *Reader) register(f *Feed) {
	r.mu.Lock()
	taken := r.feeds[f.partition] != nil
	if !taken {
		r.feeds[f.partition] = f
	}
	r.mu.Unlock()
	if taken {
		r.end(f, fmt.Errorf("%s is open already; close its feed first", f.partition))
		return
	}
	select {
	case r.opened <- struct{}{}:
	default:
	}
}

// begin has the client fetch a feed whose position was checked.
func (r *Reader) begin(f *Feed, news Batch) {
	if f.ended || f.fetching {
		return
	}
	r.adding[f.partition] = kgo.NewOffset().At(f.position)
	r.mu.Lock()
	f.fetching = true
	r.mu.Unlock()
	r.offer(f, &news)
}

// news tells the owner what the watcher found, unless records came meanwhile.
func (r *Reader) news(f *Feed, asked int64, b Batch) {
	if f.ended || f.position != asked {
		return
	}
	if b.Next > f.position || b.Stable != f.stable {
		r.offer(f, &b)
	}
}

// refetch has the client fetch anew, unless records came meanwhile.
func (r *Reader) refetch(f *Feed, asked int64) {
	if f.ended || f.position != asked {
		return
	}
	r.removing[f.partition] = true
	r.adding[f.partition] = kgo.NewOffset().At(f.position).WithEpoch(f.epoch)
}

// fail stops a partition: no waiting mends it.
func (r *Reader) fail(f *Feed, err error) {
	r.end(f, &StopError{Partition: f.partition, Position: f.position, Err: err})
}

// end closes a feed, once.
func (r *Reader) end(f *Feed, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.ended {
		return
	}
	f.ended, f.err = true, err
	if !f.stalled { // or else when what is stalled was sent
		close(f.batches)
	}
	if r.feeds[f.partition] != f {
		return
	}
	delete(r.feeds, f.partition)
	if f.fetching {
		delete(r.adding, f.partition)
		r.removing[f.partition] = true
	}
}
