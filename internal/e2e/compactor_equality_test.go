package e2e

import (
	"path/filepath"
	"testing"
)

// readersCases are the settings of a snapshot topic: nil are those of the
// compactor.
var readersCases = map[string]map[string]string{
	"aggressive compaction": {
		"cleanup.policy": "compact", "segment.ms": "2000", "min.cleanable.dirty.ratio": "0.01",
		"min.compaction.lag.ms": "0", "max.compaction.lag.ms": "3000",
	},
	"settings of the compactor": nil,
}

// TestReadersOfSnapshots: while streams change, end and begin again, and
// compaction removes what it can, readers begin with the snapshots at random
// times, go on with the events behind them, and stop at an offset. There they
// have what all events before it fold to.
func TestReadersOfSnapshots(t *testing.T) {
	const streams = 3000
	for name, settings := range readersCases {
		t.Run(name, func(t *testing.T) {
			o := newOrders(New(t), 2)
			readUnderLoad(o.Env, o, scene{
				partitions: orderPartitions, settings: settings,
				fold:      foldOf(t, filepath.Join(o.dir, "orders.yaml"), o.codec),
				compactor: func() *Worker { return o.compactor() },
				write:     func(n int) error { return o.write(n, streams) },
			})
		})
	}
}

// events is how many were written.
func (o *orders) events() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, h := range o.history {
		n += len(h)
	}
	return n
}
