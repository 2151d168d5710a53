package kafka

import (
	"context"
	"slices"

	"github.com/millrace/millrace/streams"
)

// direct assigns a fixed list of partitions.
type direct struct {
	partitions []streams.Partition
	rejoin     rejoinSignal
}

// NewDirect returns an assigner that gives all these partitions to this process
// for as long as it runs. Nobody keeps another process from doing the same.
func NewDirect(partitions ...streams.Partition) Assigner {
	return &direct{partitions: slices.Clone(partitions), rejoin: newRejoinSignal()}
}

// Run assigns the partitions until the context ends.
func (d *direct) Run(ctx context.Context, l Listener) error {
	for {
		d.rejoin.clear()
		l.Assigned(ctx, slices.Clone(d.partitions))
		select {
		case <-ctx.Done():
		case <-d.rejoin:
		}
		l.Revoked(context.WithoutCancel(ctx), slices.Clone(d.partitions), false)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// Rejoin revokes the partitions and assigns them again after a second.
func (d *direct) Rejoin() { d.rejoin.set() }

// Commit does nothing: there is no group that a lag tool could ask about.
func (d *direct) Commit(context.Context, map[streams.Partition]int64) error { return nil }

// Reason is empty: nobody has to be asked.
func (d *direct) Reason() string { return "" }
