package follow

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/millrace/millrace/streams"
)

// Owners runs a goroutine for each partition that is assigned to this process.
// Safe for concurrent use.
type Owners struct {
	mu      sync.Mutex
	running map[streams.Partition]*owner
}

// owner is the goroutine of one assigned partition.
type owner struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// Start runs the goroutine of a partition until it returns or is stopped. There
// is none of the partition, or it was stopped.
func (o *Owners) Start(ctx context.Context, p streams.Partition, run func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	started := &owner{cancel, make(chan struct{})}
	o.mu.Lock()
	if o.running == nil {
		o.running = map[streams.Partition]*owner{}
	}
	o.running[p] = started
	o.mu.Unlock()
	go func() {
		defer close(started.done)
		run(ctx)
	}()
}

// Stop ends the goroutines of partitions and returns when they have: nothing of
// the assignment can write any more.
func (o *Owners) Stop(ps []streams.Partition) {
	o.mu.Lock()
	var ending []*owner
	for _, p := range ps {
		if started := o.running[p]; started != nil {
			started.cancel()
			ending = append(ending, started)
			delete(o.running, p)
		}
	}
	o.mu.Unlock()
	for _, started := range ending {
		<-started.done
	}
}

// Partitions returns those that were started and not stopped.
func (o *Owners) Partitions() []streams.Partition {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Keys(o.running))
}
