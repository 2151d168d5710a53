package projection

import (
	"context"
	"errors"
	"time"
)

// take raises the epoch and reads the stored position.
func (p *partition) take(ctx context.Context) error {
	var a Assignment
	err := p.reader.redis(ctx, func() (err error) {
		a, err = p.reader.store.Assign(ctx, p.id, p.reader.view.begin())
		return err
	})
	if errors.Is(err, ErrWiped) {
		return p.rebuild(ctx)
	}
	if err != nil {
		return err
	}
	p.epoch, p.position, p.checked = a.Epoch, a.Position, time.Now()
	// what was known is forgotten when the mark that it demands stands in Redis,
	// which may go back once more before that
	if a.Mark, err = p.compare(ctx, a.Stored); err != nil {
		return err
	}
	p.state.taken(a.Stored)
	if err := p.target(ctx); err != nil {
		return err
	}
	if p.state.cold() {
		p.reader.cooled.Store(true)
	}
	return nil
}

// rebuild writes the definition again into a Redis that has lost it.
func (p *partition) rebuild(ctx context.Context) error {
	if err := p.reader.define(ctx); err != nil {
		return err
	}
	return errRestart
}

// compare says that Redis went back in time, where it did, and keeps the view
// from being called hot until the rows are again what they were. It returns the
// mark that stands in Redis then.
func (p *partition) compare(ctx context.Context, stored Stored) (int64, error) {
	before := p.state.last()
	if stored.Position.before(before.Position) {
		p.reader.metrics.rollbacks.Inc()
		p.log.Error("redis went back in time; the rows are built again from the stored position",
			keyFrom, before.Position.String(), keyTo, stored.Position.String(), keyNext, "find out which failover or restore lost writes")
	}
	mark := before.lost(stored)
	if mark == Absent {
		return stored.Mark, nil
	}
	return mark, p.reader.redis(ctx, func() error { return p.reader.store.RaiseMark(ctx, p.id, p.epoch, mark) })
}

// target lists the LSO that makes the partition ready.
func (p *partition) target(ctx context.Context) error {
	stable, err := p.reader.stable(ctx, p.id)
	if err == nil {
		p.state.target(stable)
	}
	return err
}
