package projection

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/millrace/millrace/streams/streamstest"
)

func tiny(o *Options) { o.Config.BatchMaxOps, o.Config.ColdBatchMaxOps = 1, 1 }

// TestKilledLoadsDoubleNothing kills workers in loads at seeded points of their
// scripts; now and then Redis goes back or is wiped, too.
func TestKilledLoadsDoubleNothing(t *testing.T) {
	for range 2 {
		seed := rand.Uint64()
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			k := newLab(t, snapshotView).keeper()
			k.happen(random, 300)
			for range 8 {
				k.cut(random)
			}
			k.keep()
			dump, resumed := k.dump(k.lab), 0
			w := k.start(tiny)
			for range 40 {
				k.strike(random, w)
				loading := k.loaded(0) > 0 || k.loaded(1) > 0 || k.loaded(2) > 0
				if loading {
					resumed++
				}
				switch n := random.IntN(8); {
				case n == 0:
					k.restore(k.lab, dump)
				case n == 1:
					dump = k.dump(k.lab)
				case n == 2 || !loading && n < 6:
					k.restore(k.lab, nil)
				}
				k.happen(random, 3)
				k.cut(random)
				w = k.start(tiny)
			}
			k.untilApplied()
			if !k.right() {
				t.Errorf("rows are wrong with seed %d", seed)
			}
			if resumed < 5 {
				t.Errorf("with seed %d only %d workers died in a load", seed, resumed)
			}
		})
	}
}

// strike kills a worker at one of its next scripts.
func (k *keeper) strike(random *rand.Rand, w *worker) {
	k.t.Helper()
	action := []streamstest.Action{streamstest.FreezeRequest, streamstest.FreezeReply}[random.IntN(2)]
	struck := w.redis.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 1 + random.IntN(40), Action: action})
	k.until("struck worker", func() bool { return closed(struck) })
	w.kill()
}

// TestRedisGoesBackIntoALoad, and the view is loaded once more: not hot before its
// rows are again what they were.
func TestRedisGoesBackIntoALoad(t *testing.T) {
	onSnapshots(t, func(k *keeper) {
		k.pay(60)
		k.halfway(0, 1)
		w := k.start(nil)
		k.untilHalfway(0)
		dump := k.dump(k.lab)
		k.keep()
		k.pay(60)
		k.until("hot view", func() bool { return k.state(k.views[0]) == StateHot })
		k.untilApplied() // so that hot again is all of it
		w.kafka.Freeze()
		k.restore(k.lab, dump)
		k.until("cold view", func() bool { return k.state(k.views[0]) != StateHot && len(w.NotReady()) > 0 })
		w.kafka.Thaw()
		k.until("hot view", func() bool { return k.state(k.views[0]) == StateHot })
		if !k.right() {
			k.t.Errorf("rows are wrong\n%s", k.logs)
		}
		if !strings.Contains(k.logs.String(), "went back in time") {
			k.t.Error("the rollback was not logged")
		}
	})
}

// TestWipedInALoad: it begins anew.
func TestWipedInALoad(t *testing.T) {
	onSnapshots(t, func(k *keeper) {
		k.pay(60)
		k.halfway(0, 1)
		k.start(nil)
		k.untilHalfway(0)
		k.restore(k.lab, nil)
		k.keep()
		k.untilApplied()
		if k.until("hot view", func() bool { return k.state(k.views[0]) == StateHot }); !k.right() {
			k.t.Errorf("rows are wrong\n%s", k.logs)
		}
	})
}

// TestTakenOverInALoad: the former owner writes nothing any more.
func TestTakenOverInALoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newLab(t, snapshotView).keeper()
		k.payPartition(0, 20)
		k.halfway(0, 5)
		k.deaf = true
		first := k.start(nil, 0)
		k.untilHalfway(0)
		k.start(nil, 0)
		k.until("fenced worker", func() bool { return strings.Contains(strings.Join(first.NotReady(), "\n"), "fenced") })
		k.flush(0, 20)
		k.untilStable()
		if !k.right() {
			t.Error("rows are wrong")
		}
	})
}

// TestLoadWaitsForKafka, and goes on where it was.
func TestLoadWaitsForKafka(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newLab(t, snapshotView).keeper()
		k.payPartition(0, 20)
		k.halfway(0, 5)
		w := k.start(nil, 0)
		k.untilHalfway(0)
		w.kafka.Down()
		k.until("reason", func() bool { return strings.Contains(strings.Join(w.NotReady(), "\n"), "kafka does not answer") })
		time.Sleep(time.Minute)
		if err := stopped(w, 0); err != nil {
			t.Fatal(err)
		}
		w.kafka.Up()
		k.flush(0, 20)
		if k.untilStable(); !k.right() {
			t.Error("rows are wrong")
		}
	})
}

// TestLoadWaitsForTheTopic that a compactor will make.
func TestLoadWaitsForTheTopic(t *testing.T) {
	onGrounds(t, snapshotView, func(l *lab) {
		w := l.start(nil, 0)
		l.until("reason", func() bool {
			return strings.Contains(strings.Join(w.NotReady(), "\n"), "there is no topic "+l.snapshots()+", which a compactor makes")
		})
		l.payPartition(0, 20)
		k := l.keeper()
		k.flush(0, 20)
		if k.untilStable(); !k.right() {
			l.t.Error("rows are wrong")
		}
		if n := strings.Count(l.logs.String(), "there is topic "+l.snapshots()); n != 1 {
			l.t.Errorf("%d lines say that the topic is there\n%s", n, l.logs)
		}
	})
}

// TestUnusableSnapshotsStopTheirPartition, which says why, and the others go on.
func TestUnusableSnapshotsStopTheirPartition(t *testing.T) {
	for name, c := range map[string]struct {
		write func(k *keeper)
		why   string
	}{
		"no watermark": {func(k *keeper) {
			for _, stream := range k.fold(0, 20) {
				k.Kafka.ProduceRecords(k.snapshot(stream))
			}
		}, "has snapshots but no watermark"},
		"another source": {func(k *keeper) {
			k.lab.topic = "others"
			r := k.watermark(0)
			k.lab.topic = "orders"
			r.Topic = k.snapshots()
			k.Kafka.ProduceRecords(r)
		},
			"record orders.snapshots/0/0: the snapshots cannot be used: the watermark is about others/0"},
		"garbage": {func(k *keeper) {
			k.flush(0, 20)
			r := k.snapshot(streamOf(0))
			r.Value = []byte("garbage")
			k.Kafka.ProduceRecords(r)
		}, "snapshot of stream " + streamOf(0) + ": reading Order"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newLab(t, snapshotView).keeper()
				k.payPartition(0, 20)
				c.write(k)
				k.payPartition(1, 5)
				w := k.start(nil)
				k.until("stopped partition", func() bool { return stopped(w, 0) != nil })
				if why := stopped(w, 0).Error(); !strings.Contains(why, c.why) || !strings.HasPrefix(why, "loading snapshots of orders/0: ") {
					t.Errorf("stopped by %s", why)
				}
				k.until("position of partition 1", func() bool { return k.position(k.views[0], 1) == 5 })
			})
		})
	}
}

// TestLoadIsShown to whoever asks, with workers or without.
func TestLoadIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newLab(t, snapshotView).keeper()
		k.payPartition(0, 20)
		k.halfway(0, 5)
		end := k.Kafka.LSO(k.snapshots())[0]
		w := k.start(nil, 0)
		k.untilHalfway(0)
		s, err := ReadStatus(t.Context(), k.Redis.Client(), k.views[0].ID(k.prefix))
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("load:%d:5:19", end)
		if p := s.Partitions[0]; s.State != StateBuilding || p.Loading != want || p.Position != Absent {
			t.Errorf("%s, partition %+v, want %s", s.State, p, want)
		}
		p := w.Progress()[0]
		if p.Load == nil || p.Load.Position != end || p.Load.End != end || p.Position != 0 || p.Hot || p.Rate != 0 {
			t.Errorf("progress %+v", p)
		}
		if n := testutil.ToFloat64(w.Metrics.of("order").snapshots); n != float64(len(k.want())) {
			t.Errorf("%v snapshots, want %d", n, len(k.want()))
		}
		if n := testutil.CollectAndCount(w.Metrics.progress, "millrace_projector_load_progress_ratio"); n != 1 {
			t.Errorf("%d gauges of loads", n)
		}
		k.flush(0, 20)
		k.untilStable()
		k.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		if p := w.Progress()[0]; p.Load != nil || p.Position != 20 {
			t.Errorf("progress %+v", p)
		}
		if n := testutil.CollectAndCount(w.Metrics.progress, "millrace_projector_load_progress_ratio"); n != 0 {
			t.Errorf("%d gauges of loads behind them", n)
		}
	})
}
