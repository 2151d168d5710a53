package projection

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
	"github.com/millrace/millrace/streams/snapshot"
)

// TestLoadWaitsForItsWatermark: snapshots include events behind it, which would be
// applied to them again. A load that does not wait stops at the first of them.
func TestLoadWaitsForItsWatermark(t *testing.T) {
	bothLoads(t, func(k *keeper, defended bool) bool {
		k.payPartition(0, 20)
		k.halfway(0, 5)
		if !defended {
			k.weaken = func(p *Projector) { p.covered = func(snapshot.Checkpoint) bool { return true } }
		}
		w := k.start(nil)
		if !defended {
			k.until("stopped partition", func() bool { return stopped(w, 0) != nil })
			why := stopped(w, 0).Error()
			if !strings.Contains(why, k.at(0).String()+"/5: ") || !strings.Contains(why, "its snapshot includes this event") {
				k.t.Errorf("stopped by %s", why)
			}
			return false
		}
		k.untilHalfway(0)
		k.until("reason", func() bool {
			return strings.Contains(strings.Join(w.NotReady(), "\n"), "reach to offset 19, and the last watermark is 5")
		})
		k.flush(0, 20)
		k.payPartition(0, 7)
		k.untilStable()
		return k.right()
	})
}

// TestLoadGoesOnKnowingWhatItIncludes: a worker dies in a load whose watermark is
// behind what was loaded. Without the highest source offset in the position, the
// next one would take that watermark for the end.
func TestLoadGoesOnKnowingWhatItIncludes(t *testing.T) {
	bothLoads(t, func(k *keeper, defended bool) bool {
		k.payPartition(0, 20)
		k.halfway(0, 5)
		dies := k.start(small)
		k.untilHalfway(0)
		dies.kill()
		if !defended {
			key := k.views[0].ID(k.prefix).key(keyPositions)
			position := k.bookkeeping(k.views[0]).Positions[k.at(0)].String()
			if err := k.Redis.Client().HSet(k.t.Context(), key, k.at(0).String(), strings.TrimSuffix(position, "19")+"-").Err(); err != nil {
				k.t.Fatal(err)
			}
		}
		next := k.start(small)
		if loads := !k.comesTrueSoon(func() bool { return k.following(0) }); loads != defended {
			k.t.Errorf("goes on with the load: %v", loads)
		}
		if n := testutil.ToFloat64(next.Metrics.of("order").snapshots); n != 0 {
			k.t.Errorf("%v snapshots were loaded twice", n)
		}
		k.flush(0, 20)
		k.untilStable()
		return k.right()
	})
}

// comesTrueSoon is comesTrue for what is likely not to.
func (l *lab) comesTrueSoon(ok func() bool) bool {
	l.t.Helper()
	patience := l.patience
	defer func() { l.patience = patience }()
	l.patience /= 4
	return l.comesTrue(ok)
}

// TestLateBatchOfALoadChangesNothing: a worker is stopped with one on its way,
// another one loads all and applies events, then the batch arrives.
func TestLateBatchOfALoadChangesNothing(t *testing.T) {
	bothLoads(t, func(k *keeper, defended bool) bool {
		k.weaken = blind
		if !defended {
			k.weaken = func(p *Projector) { blind(p); lacking("stale", "fenced")(p) }
		}
		k.payPartition(0, 20)
		k.halfway(0, 5)
		first := k.start(nil, 0)
		k.untilHalfway(0)
		first.redis.Freeze()
		k.payPartition(0, 10)
		k.flush(0, 30)
		time.Sleep(3 * watermarkTick) // it reads them, and writes
		first.kafka.Freeze()

		second := k.start(nil, 0)
		k.payPartition(0, 20)
		k.untilStable()
		second.stop()
		first.redis.Thaw()
		k.comesTrue(func() bool { return first.refused() > 0 || !k.right() })
		right := k.right()
		first.kill()
		return right
	})
}

// TestGoneDeletesTheRow of a stream whose last snapshot was loaded before.
func TestGoneDeletesTheRow(t *testing.T) {
	bothLoads(t, func(k *keeper, defended bool) bool {
		k.payPartition(0, 20)
		k.flush(0, 20)
		k.Kafka.Produce(k.topic, k.lab.closed(streamNumber(0)))
		k.flush(0, 21)
		if !defended {
			careless, program := *k.views[0], *k.views[0].program
			program.Gone = &rules.Event{}
			careless.program = &program
			k.lab.views = []*View{&careless}
		}
		k.start(nil)
		k.untilStable()
		return k.right()
	})
}

// TestForgottenStreamsHaveNoRow.
func TestForgottenStreamsHaveNoRow(t *testing.T) {
	onSnapshots(t, func(k *keeper) {
		k.payPartition(0, 20)
		k.flush(0, 20)
		k.Kafka.ProduceRecords(&streams.Record{Topic: k.snapshots(), Key: []byte(streamOf(0))})
		k.start(nil)
		k.untilStable()
		if row := k.rows(k.views[0])[streamOf(0)]; row != nil {
			k.t.Errorf("row %v", row)
		}
		if want := k.want(); int(k.bookkeeping(k.views[0]).Rows) != len(want)-1 {
			k.t.Errorf("%d rows, want %d", k.bookkeeping(k.views[0]).Rows, len(want)-1)
		}
	})
}

// TestSnapshotsOfTwoFoldsAreNotMixed: partitions of one view are loaded from
// snapshots of different rules.
func TestSnapshotsOfTwoFoldsAreNotMixed(t *testing.T) {
	bothLoads(t, func(k *keeper, defended bool) bool {
		k.payPartition(0, 10)
		k.payPartition(1, 10)
		k.flush(0, 10)
		k.digest = "d2"
		k.flush(1, 10)
		if !defended {
			k.weaken = lacking("load-fold")
		}
		w := k.start(nil)
		refused := func() bool {
			var digest *snapshot.DigestError
			return errors.As(stopped(w, 0), &digest) || errors.As(stopped(w, 1), &digest)
		}
		k.until("end of both loads", func() bool { return refused() || k.following(0) && k.following(1) })
		return refused()
	})
}

// TestLoadThatStoodStillIsRefused: meanwhile Kafka may have removed what says that
// a stream was forgotten. One that waits with its eyes open is not.
func TestLoadThatStoodStillIsRefused(t *testing.T) {
	withAndWithout(t, func(t *testing.T, defended bool) bool {
		k := newLab(t, snapshotView).keeper()
		k.payPartition(0, 20)
		k.halfway(0, 5)
		first := k.start(nil, 0)
		k.untilHalfway(0)
		time.Sleep(patience + time.Minute)
		k.payPartition(0, 1)
		k.halfway(0, 5)
		if k.untilHalfway(0); stopped(first, 0) != nil {
			t.Fatalf("it waits, and is refused: %v", stopped(first, 0))
		}
		first.kill()
		time.Sleep(patience + time.Minute)
		if !defended {
			k.weaken = lacking("load-age")
		}
		w := k.start(nil, 0)
		k.flush(0, 21)
		k.until("end of the load", func() bool { return stopped(w, 0) != nil || k.following(0) })
		refused := errors.Is(stopped(w, 0), snapshot.ErrUnusable) && strings.Contains(stopped(w, 0).Error(), "has not once read all that there was since 2000-01-01T00:06")
		if !refused && stopped(w, 0) != nil {
			t.Errorf("stopped by %v", stopped(w, 0))
		}
		return refused
	})
}

// TestSnapshotTopicMadeAnewIsRefused: what stands before the position in the new
// one would never be read.
func TestSnapshotTopicMadeAnewIsRefused(t *testing.T) {
	withAndWithout(t, func(t *testing.T, defended bool) bool {
		k := newLab(t, snapshotView).keeper()
		k.payPartition(0, 20)
		k.halfway(0, 5)
		first := k.start(nil, 0)
		k.untilHalfway(0)
		first.kill()
		if err := k.Kafka.Server().DeleteTopic(k.snapshots()); err != nil {
			t.Fatal(err)
		}
		k.payPartition(0, 20)
		anew := k.lab.keeper()
		anew.flush(0, 40)
		anew.flush(0, 40)
		if !defended {
			k.weaken = lacking("load-topic")
		}
		w := k.start(nil, 0)
		k.until("end of the load", func() bool { return stopped(w, 0) != nil || k.following(0) })
		if err := stopped(w, 0); defended && (!errors.Is(err, snapshot.ErrUnusable) || !strings.Contains(err.Error(), "raise version")) {
			t.Errorf("stopped by %v", err)
		}
		if !defended && k.right() {
			t.Error("the rows are right without the check")
		}
		return stopped(w, 0) != nil
	})
}

// TestLoadsCompareAndOthersDoNot: a view that is past its load does not care which
// snapshots there are.
func TestLoadsCompareAndOthersDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newLab(t, snapshotView).keeper()
		k.payPartition(0, 20)
		k.keep()
		first := k.start(tiny)
		k.untilApplied()
		def := k.Redis.Hash(k.views[0].ID(k.prefix).key(keyDefinition))
		if def[fieldFold] != "d1" || !strings.HasPrefix(def[fieldSnapshots], k.snapshots()+"/") {
			t.Errorf("m:def has %s %q, %s %q", fieldFold, def[fieldFold], fieldSnapshots, def[fieldSnapshots])
		}
		if left := k.Redis.Hash(k.views[0].ID(k.prefix).key(keyLoads)); len(left) > 0 {
			t.Errorf("m:load has %v", left)
		}
		first.stop()
		if err := k.Kafka.Server().DeleteTopic(k.snapshots()); err != nil {
			t.Fatal(err)
		}
		k.start(nil)
		k.pay(30)
		k.untilApplied()
		if !k.right() {
			t.Error("rows are wrong")
		}
	})
}

// TestLoadIsNotHot: its position is a text that is longer than every mark.
func TestLoadIsNotHot(t *testing.T) {
	for _, defended := range []bool{true, false} {
		t.Run(fmt.Sprintf("defended=%v", defended), func(t *testing.T) {
			onRedis(t, func(t *testing.T, b *bench) {
				b.begins = loadingAt(snapshot.Beginning)
				b.begin(counters...)
				b.assign(part1)
				if !defended {
					b.store.scripts.mark = redis.NewScript(cut(t, markSource, "loading"))
				}
				m, err := b.store.MarkHot(ctx(t), map[streams.Partition]int64{part0: 0, part1: 0})
				b.must(err)
				if hot := b.status().State == StateHot; m.Hot == defended || (len(m.Marks) > 0) == defended || hot {
					t.Errorf("%+v, hot %v", m, hot)
				}
			})
		})
	}
}
