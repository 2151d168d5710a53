package compaction

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/millrace/millrace/streams/kafka"
)

// tick is how often is looked whether a flush is due.
const tick = 100 * time.Millisecond

// follow folds what the feed brings until an error.
func (p *partition) follow(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b, ok := <-p.feed.Batches():
			if !ok {
				return p.feed.Err()
			}
			if err := p.fetched(ctx, &b); err != nil {
				return err
			}
		case <-ticker.C:
		}
		if p.due() {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// fetched folds what one fetch brought.
func (p *partition) fetched(ctx context.Context, b *kafka.Batch) error {
	p.state.fetched(b)
	for i := range b.Records {
		r := &b.Records[i]
		if err := p.replay.Apply(r); err != nil {
			return p.refuse(ctx, r.Offset, err)
		}
		p.read, p.stamp = r.Offset+1, r.Timestamp
		p.records++
		if p.full() {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
	}
	p.read = b.Next
	if p.begun.IsZero() && p.read > p.replay.states.watermark {
		p.begun = time.Now()
	}
	p.state.folded(p.read, p.stamp)
	b.Release()
	return nil
}

// refuse flushes what came before a record that cannot be folded, so that the
// watermark is its offset, and returns why.
func (p *partition) refuse(ctx context.Context, offset int64, cause error) error {
	p.read = offset
	if err := p.flush(ctx); err != nil {
		return err
	}
	return &kafka.StopError{Partition: p.id, Position: offset, Err: cause}
}

// full says that a transaction has enough to write.
func (p *partition) full() bool {
	c := &p.keeper.compactor.Config
	return len(p.replay.states.ends) >= c.FlushStreams || int64(p.replay.states.bytes) >= int64(c.FlushBytes)
}

// due says that what has changed is flushed now: at once after a take-over, so that
// two owners that fence each other again and again both get on.
func (p *partition) due() bool {
	if p.read <= p.replay.states.watermark {
		return false
	}
	return p.fresh || p.full() || !p.begun.IsZero() && time.Since(p.begun) >= p.keeper.compactor.Config.FlushInterval
}

// flush writes what has changed and the watermark in one transaction. After an
// error nobody knows here whether it was committed: the partition begins again.
func (p *partition) flush(ctx context.Context) error {
	if p.read <= p.replay.states.watermark {
		return nil
	}
	if err := p.trusted(ctx); err != nil {
		return err
	}
	snapshots, err := p.replay.states.flush()
	if err != nil {
		return err
	}
	records, err := p.marked(snapshots)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := p.session.Write(ctx, records); err != nil {
		return fmt.Errorf("flushing offsets %d to %d: %w", p.replay.states.watermark, p.read-1, err)
	}
	p.replay.states.flushed(p.read)
	p.flushed(len(snapshots), began)
	return nil
}

// marked are snapshots and the watermark behind them, and before the first ones
// the beginning of the partition.
func (p *partition) marked(snapshots []kafka.OutRecord) ([]kafka.OutRecord, error) {
	mark := p.keeper.watermark(p.id.Partition, p.read)
	last, err := mark.Encode()
	if err != nil {
		return nil, err
	}
	records := append(snapshots, last)
	if !p.empty {
		return records, nil
	}
	first, err := mark.Beginning()
	return slices.Insert(records, 0, first), err
}

// trusted says why what is folded may not be what the log has: it lost its end, or
// became another topic before the feed met it. The feed sees to the time after.
func (p *partition) trusted(ctx context.Context) error {
	var stop *kafka.StopError
	if err := p.feed.Err(); errors.As(err, &stop) {
		return err
	}
	if !p.fresh {
		return nil
	}
	_, err := p.keeper.stable(ctx, p.id)
	return err
}

// flushed shows that a transaction was committed.
func (p *partition) flushed(snapshots int, began time.Time) {
	m := p.keeper.metrics
	m.flushes.Inc()
	m.snapshots.Add(float64(snapshots))
	m.records.Add(float64(p.records))
	m.flush.Observe(time.Since(began).Seconds())
	p.replay.events.TakeIgnored(func(eventType string, events int64) {
		m.ignored.WithLabelValues(eventType).Add(float64(events))
	})
	p.fresh, p.empty, p.begun, p.records = false, false, time.Time{}, 0
	p.state.change(func(s *Progress) { s.Watermark = p.read })
	p.tell(p.session.End())
}

// drain flushes once more before the partition is given away, so that the next
// owner need not read it again. It is only a courtesy.
func (p *partition) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := p.flush(ctx); err != nil {
		p.log.Info("leaving without a last flush; the next owner folds it again", keyError, err)
	}
}
