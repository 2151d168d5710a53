package projection

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/streamstest"
)

// forget writes that nothing is known of the first stream, behind all snapshots of
// partition 0.
func (k *keeper) forget() {
	k.t.Helper()
	k.Kafka.ProduceRecords(&streams.Record{Topic: k.snapshots(), Key: []byte(k.first())})
	k.Kafka.ProduceRecords(k.watermark(0))
}

// first is the stream whose snapshot is loaded first.
func (k *keeper) first() string {
	k.t.Helper()
	for _, r := range k.Kafka.Read(k.snapshots()) {
		if r.Partition == 0 {
			return string(r.Key)
		}
	}
	k.t.Fatal("no snapshots")
	return ""
}

// refusedOrWrong waits for the end of a load, and says whether it was refused; where
// it was not, a stream that was forgotten has a row.
func (k *keeper) refusedOrWrong(w *worker) bool {
	k.t.Helper()
	k.until("end of the load", func() bool { return stopped(w, 0) != nil || k.following(0) })
	err := stopped(w, 0)
	if err == nil {
		if k.rows(k.views[0])[k.first()] == nil {
			k.t.Error("the row of the forgotten stream went")
		}
		return false
	}
	if !errors.Is(err, snapshot.ErrUnusable) || !strings.Contains(err.Error(), "has not once read all that there was since 2000-01-01T00:00:") {
		k.t.Errorf("stopped by %v", err)
	}
	return true
}

// TestPausesOfALoadAddUp: each of them is short enough, and meanwhile what says that
// a stream was forgotten is removed. It is undefended where the time is that of the
// last batch.
func TestPausesOfALoadAddUp(t *testing.T) {
	withAndWithout(t, func(t *testing.T, defended bool) bool {
		k := newLab(t, snapshotView).keeper()
		k.payPartition(0, 20)
		k.flush(0, 20)
		k.forget()
		weak := strings.Replace(applySource, "if loaded and ARGV[11] == '0'", "if false", 1)
		if weak == applySource {
			t.Fatal("nothing was switched off")
		}
		start := func() *worker {
			if !defended {
				k.weaken = withScript(weak)
			}
			return k.start(tiny, 0)
		}
		for range 3 {
			w := start()
			struck := w.redis.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 4, Action: streamstest.FreezeRequest})
			k.until("struck or stopped worker", func() bool { return closed(struck) || stopped(w, 0) != nil })
			w.kill()
			time.Sleep(patience * 7 / 10)
		}
		k.Kafka.Server().Compact()
		return k.refusedOrWrong(start())
	})
}

// TestKafkaIsAwayInALoad for so long that what says that a stream was forgotten is
// removed, before anything that was read is in Redis. It is undefended where Redis
// does not know when the load began.
func TestKafkaIsAwayInALoad(t *testing.T) {
	withAndWithout(t, func(t *testing.T, defended bool) bool {
		k := newLab(t, snapshotView).keeper()
		k.payPartition(0, 20)
		k.flush(0, 20)
		x := k.Kafka.Begin("hole")
		x.ProduceRecords(k.watermark(0))
		x.Abort()
		k.assigned = func(w *worker) {
			const ofTheSecondPass = 7
			w.kafka.Inject(streamstest.Fault{Request: "ListOffsets", Holds: [][]byte{[]byte(k.snapshots())}, Nth: ofTheSecondPass, Action: streamstest.FreezeRequest})
		}
		w := k.start(nil, 0)
		k.until("reason", func() bool { return strings.Contains(strings.Join(w.NotReady(), "\n"), "kafka does not answer") })
		k.forget()
		time.Sleep(2*patience + time.Minute)
		k.Kafka.Server().Compact()
		if at := k.loaded(0); at != 0 {
			t.Errorf("Redis has the load at %d", at)
		}
		if !defended {
			k.del(k.views[0].ID(k.prefix).key(keyLoads))
		}
		w.kafka.Thaw()
		return k.refusedOrWrong(w)
	})
}

// TestTombstonesThatDoNotStayAreRefused: a load would have no time.
func TestTombstonesThatDoNotStayAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, snapshotView)
		l.Kafka.CreateTopic(l.snapshots(), partitions, map[string]*string{"cleanup.policy": new("compact"), "delete.retention.ms": new("0")})
		w := l.start(nil, 0)
		l.until("stopped partition", func() bool { return stopped(w, 0) != nil })
		if err := stopped(w, 0); !errors.Is(err, snapshot.ErrUnusable) || !strings.Contains(err.Error(), "delete.retention.ms of topic orders.snapshots is 0 or not told") {
			t.Errorf("stopped by %v", err)
		}
	})
}

// TestOwnerOfALoadIsSeen, or onlookers would take the view for one that nobody
// works on.
func TestOwnerOfALoadIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newLab(t, snapshotView).keeper()
		k.payPartition(0, 20)
		k.halfway(0, 5)
		k.start(nil, 0)
		k.untilHalfway(0)
		time.Sleep(time.Minute)
		if k.loaded(0) < 0 {
			t.Fatal("it does not load")
		}
		if seen := k.bookkeeping(k.views[0]).Seen[k.at(0)]; time.Since(seen) > 2*idleCheck {
			t.Errorf("seen %v ago", time.Since(seen))
		}
	})
}
