package projection

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
)

// Why a partition begins again, or does not.
var (
	// errRestart: what is in memory is not what is stored; start from that.
	errRestart = errors.New("position moved")
	// errFenced: another worker raised the epoch.
	errFenced = errors.New("fenced by a newer owner")
)

// idleCheck is how often an owner without work looks whether Redis still has
// its position, and writes that it lives.
const idleCheck = 5 * time.Second

// restartPause keeps a partition that is always told to start again from doing
// nothing else.
const restartPause = 100 * time.Millisecond

// partition applies the events of one topic partition to a view, from its
// assignment to its revocation. One goroutine runs it.
type partition struct {
	reader *viewReader
	id     streams.Partition
	log    *slog.Logger
	state  *partitionState // what others may look at

	epoch    int64
	position Position // what Redis has, as far as this owner knows
	read     Position // what is folded reaches to here
	limit    int      // ops that close the batch
	in       *interpreter
	fold     *Fold
	memory   *share
	begun    time.Time        // when the batch began; zero while there is none
	checked  time.Time        // when Redis last confirmed the position
	dials    int64            // how many connections to Redis there had been then
	oldest   time.Time        // fetch time of the batch's first record
	first    time.Time        // broker timestamp of the batch's first record
	stamp    time.Time        // broker timestamp of the batch's last record
	records  int              // in the batch
	load     *load            // nil once there are no snapshots to load
	filter   *snapshot.Filter // of what was loaded; nil where it holds nothing
}

// run owns the partition until ctx ends. Whatever it returns for, nothing of
// this assignment writes any more.
func (p *partition) run(ctx context.Context) {
	defer p.memory.set(0)
	for ctx.Err() == nil {
		err := p.own(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errRestart), errors.Is(err, ErrWiped):
			p.state.notReady("starting again from the stored position")
			if follow.Sleep(ctx, restartPause) != nil {
				return
			}
		case errors.Is(err, errFenced):
			p.reader.metrics.fenced.Inc()
			p.log.Warn("another worker took the partition over; joining the group again")
			p.state.notReady("fenced: joining the group again")
			p.reader.assigner.Rejoin()
			return
		default:
			p.stop(err)
			return
		}
	}
}

// stop keeps the partition still: its records are neither skipped nor guessed.
func (p *partition) stop(err error) {
	p.state.stopped(err)
	p.reader.metrics.stopped.Inc()
	var digest *DigestError
	if errors.As(err, &digest) {
		p.reader.leave(err)
		return
	}
	p.log.Error("partition stopped; the others go on", keyError, err, keyNext, "mend the cause and restart the worker: it goes on from the stored position")
}

// own takes the partition over and follows it until an error ends that.
func (p *partition) own(ctx context.Context) error {
	if err := p.take(ctx); err != nil {
		return err
	}
	p.resetBatch()
	p.in.TakeIgnored(func(string, int64) {}) // of a batch that was dropped, and is read again
	err := p.loadSnapshots(ctx)
	if err == nil {
		err = p.followEvents(ctx)
	}
	if ctx.Err() != nil {
		p.drain(ctx)
	}
	return err
}

// followEvents applies the events behind the position.
func (p *partition) followEvents(ctx context.Context) error {
	feed := p.reader.kafka.Open(p.id, p.position.Offset)
	defer feed.Close()
	return p.follow(ctx, feed)
}

// follow applies what the feed brings until an error.
func (p *partition) follow(ctx context.Context, feed *kafka.Feed) error {
	tick := time.NewTicker(p.reader.tick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b, ok := <-feed.Batches():
			if !ok {
				return feed.Err()
			}
			if err := p.fetched(ctx, &b, len(feed.Batches()) > 0); err != nil {
				return err
			}
		case <-tick.C:
			if err := p.ticked(ctx); err != nil {
				return err
			}
		}
	}
}

// fetched folds what one fetch brought and writes it where it is time to.
func (p *partition) fetched(ctx context.Context, b *kafka.Batch, more bool) error {
	p.state.fetched(b)
	p.limit = p.maxOps()
	for i := range b.Records {
		r := &b.Records[i]
		if err := p.apply(r); err != nil {
			return p.refuse(ctx, r, err)
		}
		p.note(b, r)
		if p.fold.Ops() >= p.limit {
			if err := p.write(ctx); err != nil {
				return err
			}
		}
	}
	if p.read = At(b.Next); p.read != p.position && p.begun.IsZero() {
		p.begun = time.Now() // of offsets that no record has
	}
	p.memory.set(p.fold.Memory())
	atEnd := b.Next >= b.Stable && !more
	b.Release()
	p.in.forget()
	if p.due(atEnd) {
		return p.write(ctx)
	}
	return nil
}

// refuse writes what came before a record that cannot be applied, so that the
// stored position is that of the record, and returns why.
func (p *partition) refuse(ctx context.Context, r *streams.Record, cause error) error {
	p.read = At(r.Offset)
	if err := p.write(ctx); err != nil {
		return err
	}
	return &kafka.StopError{Partition: p.id, Position: r.Offset, Err: cause}
}

// note moves on behind a record that is folded, and remembers what the metrics
// say of a batch.
func (p *partition) note(b *kafka.Batch, r *streams.Record) {
	if p.records == 0 {
		p.oldest, p.first = b.FetchedAt, r.Timestamp
	}
	if p.begun.IsZero() {
		p.begun = time.Now()
	}
	p.records++
	p.stamp = r.Timestamp
	p.read = At(r.Offset + 1)
}

// maxOps is how many ops close a batch.
func (p *partition) maxOps() int {
	if p.state.cold() {
		return p.reader.config.ColdBatchMaxOps
	}
	return p.reader.config.BatchMaxOps
}

// due says whether a batch that is not full is written now: at the stable end,
// where somebody may be waiting for a row or for the view to be hot, and when it
// has grown old or the folds together too large. A batch that only moves the
// position of a hot partition grows old: nobody waits for it.
func (p *partition) due(atEnd bool) bool {
	if p.memory.exhausted() || atEnd && (p.fold.Ops() > 0 || p.state.cold()) {
		return true
	}
	age := p.reader.config.ColdBatchMaxAge
	if !p.state.cold() {
		age /= 10
	}
	return !p.begun.IsZero() && time.Since(p.begun) >= age
}

// ticked does what must be done although no record comes.
func (p *partition) ticked(ctx context.Context) error {
	if p.read != p.position && p.due(false) {
		return p.write(ctx)
	}
	dials, idle := p.reader.projector.dials.Load(), time.Since(p.checked) >= p.reader.projector.idleCheck
	if dials == p.dials && !idle {
		return nil
	}
	p.dials = dials
	if idle && p.read == p.position { // what was kept for a next batch has waited long enough
		p.fold.Free()
		p.memory.set(0)
	}
	return p.confirm(ctx)
}

// confirm looks whether Redis still has the position: a failover or a restore
// takes rows and positions back together, and without a write nobody notices.
func (p *partition) confirm(ctx context.Context) error {
	var stored Stored
	err := p.reader.redis(ctx, func() (err error) {
		stored, err = p.reader.store.Confirm(ctx, p.id, p.epoch)
		return err
	})
	if err != nil {
		return err
	}
	p.checked = time.Now()
	if stored.Position != p.position || p.state.last().lost(stored) != Absent {
		return errRestart
	}
	return nil
}

// drain writes what is folded once more before the partition is given away, so
// that the next owner need not read it again. It is only a courtesy: whatever
// happens here, the position stands beside the rows.
func (p *partition) drain(ctx context.Context) {
	if p.read == p.position {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if answer, err := p.reader.store.Apply(ctx, p.batch()); err == nil && answer.Kind == AnswerOK {
		p.applied()
	}
}

func (p *partition) resetBatch() {
	p.fold.Reset()
	if p.memory.exhausted() {
		p.fold.Free()
	}
	p.records = 0
	p.begun, p.first, p.stamp = time.Time{}, time.Time{}, time.Time{}
	p.read = p.position
	p.memory.set(p.fold.Memory())
}
