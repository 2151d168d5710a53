package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/millrace/millrace/streams"
)

// questionTimeout bounds one question to the cluster. What is not answered is
// asked again.
const questionTimeout = 5 * time.Second

// watch looks after feeds that are new and feeds that are quiet, until the
// context ends.
func (r *Reader) watch(ctx context.Context) error {
	ticker := time.NewTicker(r.opts.FetchWait)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		case <-r.opened:
		}
		if questions := r.questions(time.Now()); len(questions) > 0 {
			r.outage.report(ctx, r.ask(ctx, questions))
		}
	}
}

// question is what the watcher wants to know about a feed. The position was read
// before the question is asked, so an answer that is lower is no race.
type question struct {
	feed     *Feed
	position int64
	opening  bool
}

// questions are about the feeds that do not fetch yet, and about those that were
// quiet for two fetch waits although their owner waits for records.
func (r *Reader) questions(now time.Time) []question {
	r.mu.Lock()
	defer r.mu.Unlock()
	var qs []question
	for _, f := range r.feeds {
		quiet := now.Sub(f.quiet) >= 2*r.opts.FetchWait && len(f.batches) == 0 && !f.stalled
		if !f.fetching || quiet {
			qs = append(qs, question{f, f.position, !f.fetching})
		}
	}
	return qs
}

// ask asks where the stable end is, and for new feeds the start, and has the
// poll loop do what follows. The error is a reason to wait.
func (r *Reader) ask(ctx context.Context, qs []question) error {
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	qs, waits := r.present(ctx, qs)
	var all, opening []streams.Partition
	for _, q := range qs {
		all = append(all, q.feed.partition)
		if q.opening {
			opening = append(opening, q.feed.partition)
		}
	}
	starts := listOffsets(ctx, r.client, opening, atStart)
	stable := listOffsets(ctx, r.client, all, atStableEnd)
	for _, q := range qs {
		if err := r.answer(ctx, q, starts[q.feed.partition], stable[q.feed.partition]); err != nil {
			waits = err
		}
	}
	return waits
}

// answer decides about one feed.
func (r *Reader) answer(ctx context.Context, q question, start, stable listed) error {
	for _, l := range []listed{start, stable} {
		var code *kerr.Error
		if errors.As(l.err, &code) && !code.Retriable {
			r.post(func() { r.fail(q.feed, reason(l.err)) })
			return nil
		} else if l.err != nil {
			return l.err
		}
	}
	news := Batch{Next: q.position, Stable: stable.offset, FetchedAt: time.Now(), epoch: -1}
	switch {
	case q.opening && q.position < start.offset:
		r.post(func() { r.fail(q.feed, errBelowStart(start.offset)) })
	case q.position > stable.offset:
		r.post(func() { r.fail(q.feed, errBeyondEnd(stable.offset)) })
	case q.opening:
		r.post(func() { r.begin(q.feed, news) })
	case q.position < stable.offset:
		return r.lookFurther(ctx, q, news)
	default:
		r.rest(q.feed, false)
		r.post(func() { r.news(q.feed, q.position, news) })
	}
	return nil
}

// overdueLooks is how many looks in a row may find records that the client has
// not delivered. One or two are fetches under way.
const overdueLooks = 3

// lookFurther probes behind the position of a quiet feed: either nothing is ever
// delivered there, or the client is to blame and begins anew.
func (r *Reader) lookFurther(ctx context.Context, q question, news Batch) error {
	found, err := r.probe(ctx, q.feed.partition, q.position)
	if err != nil {
		return err
	}
	if r.rest(q.feed, found.records && found.next == q.position) >= overdueLooks {
		r.log.WarnContext(ctx, "the Kafka client does not deliver records that are there: fetching begins anew",
			"partition", q.feed.partition, "position", q.position)
		r.post(func() { r.refetch(q.feed, q.position) })
		return nil
	}
	news.Next, news.epoch = found.next, found.epoch
	r.post(func() { r.news(q.feed, q.position, news) })
	return nil
}

// rest puts the next question about a feed off and counts the looks in a row
// that found records overdue.
func (r *Reader) rest(f *Feed, overdue bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.quiet = time.Now()
	f.missing = 0
	f.overdue++
	if !overdue {
		f.overdue = 0
	}
	return f.overdue
}
