// Package followtest has what tests of several runtimes need.
package followtest

import (
	"context"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
)

// Losing is an assigner whose group goes away, and comes back with nothing for it.
type Losing struct {
	kafka.Assigner
	gone, back chan struct{}
}

// NewLosing returns one whose group is there. Its Assigner is still to be set.
func NewLosing() *Losing {
	return &Losing{gone: make(chan struct{}), back: make(chan struct{})}
}

// Run runs the assigner until its group is away, and says then that its partitions
// are lost.
func (a *Losing) Run(ctx context.Context, l kafka.Listener) error {
	before, lose := context.WithCancel(ctx)
	defer lose()
	go func() {
		select {
		case <-a.gone:
			lose()
		case <-before.Done():
		}
	}()
	revoked := l.Revoked
	_ = a.Assigner.Run(before, kafka.Listener{Assigned: l.Assigned, Revoked: func(ctx context.Context, ps []streams.Partition, _ bool) {
		revoked(ctx, ps, true)
	}})
	select {
	case <-a.back:
		l.Assigned(ctx, nil)
		<-ctx.Done()
	case <-ctx.Done():
	}
	return ctx.Err()
}

// Reason says that the group is away.
func (a *Losing) Reason() string {
	select {
	case <-a.back:
		return ""
	default:
	}
	select {
	case <-a.gone:
		return "the group is away"
	default:
		return ""
	}
}
