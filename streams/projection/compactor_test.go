package projection

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/compaction"
	"github.com/millrace/millrace/streams/kafka"
)

// compactor runs a compactor of the lab's fold until the function that it returns
// is called.
func (l *lab) compactor() (stop func()) {
	l.t.Helper()
	fold, problems := compaction.Compile(l.foldOf(l.topic), l.codec, nil, nil)
	if len(problems) > 0 {
		l.t.Fatal(problems)
	}
	link := l.Kafka.Link()
	cfg := kafka.Config{Brokers: l.Kafka.Brokers(), Dialer: link.Dial, Prefix: l.groups}
	c, err := compaction.New(compaction.Options{
		Config: compaction.Config{FlushStreams: 5, FlushInterval: 100 * time.Millisecond}, Kafka: cfg, Folds: []*compaction.Fold{fold},
		Assigner: func(group string, topics []string) kafka.Assigner {
			var ps []streams.Partition
			for p := range int32(partitions) {
				ps = append(ps, streams.Partition{Topic: topics[0], Partition: p})
			}
			return l.assigner(cfg, group, ps)
		},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(l.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			l.t.Error(err)
		}
		done <- nil
	}
	l.t.Cleanup(stop)
	return stop
}

// TestRowsFromTheSnapshotsOfACompactor that goes on while they are loaded, stops
// and starts, and whose topic is cleaned.
func TestRowsFromTheSnapshotsOfACompactor(t *testing.T) {
	onSnapshots(t, func(k *keeper) {
		random := rand.New(rand.NewPCG(rand.Uint64(), 0))
		k.happen(random, 200)
		stop := k.compactor()
		k.until("snapshots", func() bool {
			for _, stable := range k.Kafka.LSO(k.snapshots()) {
				if stable == 0 {
					return false
				}
			}
			return true
		})
		w := k.start(tiny)
		for range 4 {
			k.happen(random, 50)
			stop()
			if server := k.Kafka.Server(); server != nil {
				server.Compact()
			}
			stop = k.compactor()
			w.kill()
			w = k.start(tiny)
		}
		if k.untilApplied(); !k.right() {
			k.t.Errorf("rows\n%v\nwant\n%v", k.rows(k.views[0]), k.want())
		}
		if !strings.Contains(k.logs.String(), "snapshots are loaded") {
			k.t.Error("nothing was loaded")
		}
	})
}
