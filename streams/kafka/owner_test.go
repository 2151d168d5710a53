package kafka

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/streams"
)

// owner is a listener that remembers what it owns.
type owner struct {
	t *testing.T

	mu       sync.Mutex
	owned    map[streams.Partition]bool
	assigned int
	revoked  int
	changed  chan struct{}
}

func newOwner(t *testing.T) *owner {
	return &owner{t: t, owned: make(map[streams.Partition]bool), changed: make(chan struct{}, 1)}
}

func (o *owner) listener() Listener {
	return Listener{
		Assigned: func(_ context.Context, ps []streams.Partition) { o.change(ps, true) },
		Revoked: func(ctx context.Context, ps []streams.Partition, _ bool) {
			if ctx.Err() != nil {
				o.t.Error("Revoked with a context that has ended")
			}
			o.change(ps, false)
		},
	}
}

func (o *owner) change(ps []streams.Partition, mine bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range ps {
		if o.owned[p] == mine {
			o.t.Errorf("%s: told twice that mine is %t", p, mine)
		}
		o.owned[p] = mine
	}
	if mine {
		o.assigned++
	} else {
		o.revoked++
	}
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

func (o *owner) count() (owned, assigned, revoked int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, mine := range o.owned {
		if mine {
			owned++
		}
	}
	return owned, o.assigned, o.revoked
}

// await waits until the owner has n partitions after so many assignments.
func (o *owner) await(n, assignments int) {
	o.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		owned, assigned, _ := o.count()
		if owned == n && assigned >= assignments {
			return
		}
		select {
		case <-o.changed:
		case <-deadline:
			o.t.Fatalf("%d partitions after %d assignments, want %d", owned, assigned, n)
		}
	}
}

// running is an assigner that runs.
type running struct {
	Assigner
	*owner
	stop func() error
}

func run(t *testing.T, a Assigner) *running {
	t.Helper()
	o := newOwner(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, o.listener()) }()
	var once sync.Once
	var err error
	r := &running{a, o, func() error {
		once.Do(func() {
			cancel()
			err = <-done
			if owned, _, _ := o.count(); owned != 0 {
				t.Errorf("%d partitions are not revoked", owned)
			}
		})
		return err
	}}
	t.Cleanup(func() { _ = r.stop() })
	return r
}
