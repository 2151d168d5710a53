package projection

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace/millrace/streams/streamstest"
)

// happen writes random events: payments, and a few ends of streams, some of which
// begin again.
func (k *keeper) happen(random *rand.Rand, n int) {
	k.t.Helper()
	events := make([]streamstest.Event, n)
	for i := range events {
		stream := random.IntN(25)
		if events[i] = k.paid(stream, fmt.Sprintf("%d.%02d", random.IntN(90), random.IntN(100)), 1); random.IntN(6) == 0 {
			events[i] = k.lab.closed(stream)
		}
	}
	k.Kafka.Produce(k.topic, events...)
}

// cut writes the snapshots of what has happened up to a random offset of a random
// partition.
func (k *keeper) cut(random *rand.Rand) {
	k.t.Helper()
	p := random.Int32N(partitions)
	if stable := k.Kafka.LSO(k.topic)[p]; stable > k.next[p] {
		k.flush(p, k.next[p]+1+random.Int64N(stable-k.next[p]))
	}
}

func small(o *Options) { o.Config.BatchMaxOps, o.Config.ColdBatchMaxOps = 10, 10 }

// TestRowsFromSnapshotsAreThoseOfReplay for random histories that are cut at
// random points, with streams that end and begin again.
func TestRowsFromSnapshotsAreThoseOfReplay(t *testing.T) {
	for range 10 {
		seed := rand.Uint64()
		onGrounds(t, snapshotView+replayView, func(l *lab) {
			random := rand.New(rand.NewPCG(seed, 0))
			k := l.keeper()
			for range 1 + random.IntN(4) {
				k.happen(random, 20+random.IntN(60))
				for range random.IntN(8) {
					k.cut(random)
				}
			}
			l.start(small)
			k.happen(random, random.IntN(30))
			k.cut(random)
			l.untilApplied()
			if replayed := l.rows(l.views[1]); !k.right() || !maps.EqualFunc(l.rows(l.views[0]), replayed, maps.Equal) {
				l.t.Errorf("with seed %d the rows are\n%v\nby replay\n%v\nwant\n%v", seed, l.rows(l.views[0]), replayed, k.want())
			}
			l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
			if lines := strings.Count(l.logs.String(), "snapshots are loaded"); lines != 1 {
				l.t.Errorf("%d lines say what was loaded", lines)
			}
		})
	}
}
