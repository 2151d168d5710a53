package kafka

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/millrace/millrace/streams"
)

// Listener is told which partitions an [Assigner] gives and takes. Its functions
// are called one at a time.
type Listener struct {
	// Assigned is given the partitions that are new: none where the group has
	// nothing for a new member. It should return soon: the group waits.
	Assigned func(ctx context.Context, ps []streams.Partition)
	// Revoked is given partitions that were assigned before. It returns only
	// when nothing of that assignment will write any more, so it waits for the
	// batch in flight. Lost says that another member may own them already, so
	// that there is nothing left to save, and that this process is told of its
	// next assignment, be it of nothing. Its context is not cancelled with the
	// assigner's.
	Revoked func(ctx context.Context, ps []streams.Partition, lost bool)
}

// Assigner tells which partitions this process owns. It assigns and nothing
// else: it fetches no records and knows no positions.
type Assigner interface {
	// Run blocks until the context ends or an error that no waiting mends. When
	// it returns everything is revoked.
	Run(ctx context.Context, l Listener) error
	// Rejoin gives everything up and joins again as a new member after
	// a jittered second, under the same instance ID: only a new member is told
	// its partitions again. It returns at once and may be called from anywhere.
	Rejoin()
	// Commit tells lag tools the positions. Nothing ever reads them back, so an
	// error may be ignored.
	Commit(ctx context.Context, positions map[streams.Partition]int64) error
	// Reason says what keeps this process from being told its partitions; empty
	// where nothing does.
	Reason() string
}

// rejoinSignal is the part of an assigner that remembers a call of Rejoin.
type rejoinSignal chan struct{}

func newRejoinSignal() rejoinSignal { return make(rejoinSignal, 1) }

func (r rejoinSignal) set() {
	select {
	case r <- struct{}{}:
	default:
	}
}

// clear forgets a signal that was meant for the member before.
func (r rejoinSignal) clear() {
	select {
	case <-r:
	default:
	}
}

// pause waits for a second, give or take half of it, so that two workers that
// fence each other do not do so for ever.
func pause(ctx context.Context) error {
	timer := time.NewTimer(time.Second/2 + rand.N(time.Second))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
