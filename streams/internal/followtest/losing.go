// Package followtest has what tests of several runtimes need.
package followtest

import (
	"context"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
)

// Losing is an assigner whose group is away from when Gone is closed until Back
// is. Behind that the group has nothing for it.
type Losing struct {
	kafka.Assigner
	Gone, Back chan struct{}
}

// NewLosing returns one whose group is there. Its Assigner is still to be set.
func NewLosing() *Losing {
	return &Losing{Gone: make(chan struct{}), Back: make(chan struct{})}
}

// Run runs the assigner until its group is away, and says then that its partitions
// are lost.
func (a *Losing) Run(ctx context.Context, l kafka.Listener) error {
	before, lose := context.WithCancel(ctx)
	defer lose()
	go func() {
		select {
		case <-a.Gone:
			lose()
		case <-before.Done():
		}
	}()
	revoked := l.Revoked
	_ = a.Assigner.Run(before, kafka.Listener{Assigned: l.Assigned, Revoked: func(ctx context.Context, ps []streams.Partition, _ bool) {
		revoked(ctx, ps, true)
	}})
	select {
	case <-a.Back:
		l.Assigned(ctx, nil)
		<-ctx.Done()
	case <-ctx.Done():
	}
	return ctx.Err()
}

// Reason says that the group is away.
func (a *Losing) Reason() string {
	if closed(a.Gone) && !closed(a.Back) {
		return "the group is away"
	}
	return ""
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
