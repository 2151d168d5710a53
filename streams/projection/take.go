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
		a, err = p.reader.store.Assign(ctx, p.id)
		return err
	})
	if errors.Is(err, ErrWiped) {
		return p.rebuild(ctx)
	}
	if err != nil {
		return err
	}
	before := p.state.last()
	p.epoch, p.position, p.checked = a.Epoch, a.Position, time.Now()
	p.state.taken(a)
	if err := p.compare(ctx, before, a.stored()); err != nil {
		return err
	}
	return p.target(ctx)
}

// rebuild writes the definition again into a Redis that has lost it.
func (p *partition) rebuild(ctx context.Context) error {
	if err := p.reader.define(ctx); err != nil {
		return err
	}
	return errRestart
}

// compare says that Redis went back in time, where it did, and keeps the view
// from being called hot until the rows are again what they were.
func (p *partition) compare(ctx context.Context, before memory, stored Stored) error {
	if stored.Position < before.position {
		p.reader.metrics.rollbacks.Inc()
		p.log.Error("redis went back in time; the rows are built again from the stored position",
			keyFrom, before.position, keyTo, stored.Position, keyNext, "find out which failover or restore lost writes")
	}
	mark := before.lost(stored)
	if mark == Absent {
		return nil
	}
	err := p.reader.redis(ctx, func() error { return p.reader.store.RaiseMark(ctx, p.id, p.epoch, mark) })
	if err == nil {
		p.state.marked(mark)
	}
	return err
}

// target lists the LSO that makes the partition ready.
func (p *partition) target(ctx context.Context) error {
	stable, err := p.reader.stable(ctx, p.id)
	if err == nil {
		p.state.target(stable)
	}
	return err
}
