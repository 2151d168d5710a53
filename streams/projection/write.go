package projection

import (
	"context"
	"fmt"
	"time"

	"github.com/millrace/millrace/streams/kafka"
)

// write applies the batch. It comes back when Redis has
// answered: a Redis that is away is waited for, and the same batch is sent
// again, because whether it was applied is known to the stored position alone.
func (p *partition) write(ctx context.Context) error {
	if p.read == p.position && p.load == nil { // a load says at its end that it is still under way
		return nil
	}
	w := p.batch()
	var answer Answer
	err := p.reader.redis(ctx, func() (err error) {
		// a script that was sent is waited for, also when the partition is revoked
		answer, err = p.reader.store.Apply(context.WithoutCancel(ctx), w)
		return err
	})
	if err != nil {
		return err
	}
	return p.answered(answer, w)
}

func (p *partition) batch() Write {
	w := Write{Partition: p.id, Epoch: p.epoch, First: p.position, Next: p.read, Fold: p.fold}
	if p.load != nil {
		w.Load = &p.load.Load
	}
	return w
}

// answered acts on what the script said.
func (p *partition) answered(a Answer, w Write) error {
	switch a.Kind {
	case AnswerOK:
		p.applied()
		return nil
	case AnswerStale:
		p.reader.metrics.stale.Inc()
		if a.Position == w.Next { // it was applied, and the reply was lost
			p.applied()
			return nil
		}
		if p.position.before(a.Position) {
			p.log.Info("another worker has applied events of the partition; starting again from the stored position",
				keyFrom, p.position.String(), keyTo, a.Position.String())
		}
		return errRestart
	case AnswerFenced:
		return errFenced
	case AnswerWiped:
		return errRestart
	case AnswerDigest:
		return &DigestError{Mine: p.reader.view.Digest, Theirs: a.Digest}
	case AnswerBad:
		return p.refused(w, a, "is not what this view writes there; remove the foreign value, or raise the view's version")
	case AnswerRange:
		return p.refused(w, a, "would leave its range (integers 64 bit, decimals 38 digits); mend the rule and raise the view's version")
	case AnswerLoad:
		return p.load.refused(a)
	}
	return fmt.Errorf("unexpected answer of the script: %v", a.Kind)
}

// refused is the error of a batch that the check pass of the script refused.
func (p *partition) refused(w Write, a Answer, why string) error {
	place := fmt.Sprintf("row %q, field %q", a.Row, a.Field)
	switch {
	case a.Row == "":
		place = "bookkeeping " + a.Field
	case a.Field == "":
		place = fmt.Sprintf("row %q", a.Row)
	}
	if w.Load != nil {
		return fmt.Errorf("applying snapshots of %s from position %s: %s %s", p.id, w.First, place, why)
	}
	return &kafka.StopError{Partition: p.id, Position: w.First.Offset, Err: fmt.Errorf(
		"applying offsets %d to %d: %s %s", w.First.Offset, w.Next.Offset-1, place, why)}
}

// applied moves on behind a batch that Redis has.
func (p *partition) applied() {
	now := time.Now()
	m := p.reader.metrics
	m.batches.Inc()
	m.rows.Add(float64(p.fold.Rows()))
	m.records.Add(float64(p.records))
	p.in.TakeIgnored(func(eventType string, events int64) {
		m.ignored.WithLabelValues(eventType).Add(float64(events))
	})
	if p.load != nil {
		m.snapshots.Add(float64(p.load.pending))
		p.load.pending = 0
	}
	if p.records > 0 {
		m.receive.Observe(max(0, p.oldest.Sub(p.first).Seconds())) // clocks differ
		m.process.Observe(now.Sub(p.oldest).Seconds())
	}
	p.position, p.checked = p.read, now
	p.state.applied(p.position, p.stamp)
	p.resetBatch()
}
