package compaction

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/streamstest"
)

// foreign opens a transaction of somebody else in partition 1 of the snapshots.
func (l *lab) foreign() *streamstest.Txn {
	l.t.Helper()
	x := l.Kafka.Begin(l.topic + "-somebody-else")
	x.ProduceRecords(&streams.Record{Topic: l.fold.Snapshots, Partition: 1, Key: []byte("k"), Value: []byte("v")})
	return x
}

// waitsForIt waits until a worker says that it waits for that transaction, and for
// nothing else.
func (w *worker) waitsForIt() {
	w.lab.t.Helper()
	var why string
	w.lab.until("worker that waits for a transaction only", func() bool {
		why = strings.Join(w.NotReady(), "\n")
		return !strings.Contains(why, "\n") && strings.Contains(why, "a foreign transaction is open")
	})
	for _, part := range []string{w.lab.topic + "/1", w.lab.fold.Snapshots + "/1", w.lab.topic + "-somebody-else"} {
		if !strings.Contains(why, part) {
			w.lab.t.Errorf("not ready: %q, want %q in it", why, part)
		}
	}
}

// TestForeignTransactionInTheSnapshots: nobody may load what may be old already.
// The worker says whose it is, and goes on when it ends.
func TestForeignTransactionInTheSnapshots(t *testing.T) {
	onGrounds(t, func(l *lab) {
		l.pay(40)
		l.once()
		foreign := l.foreign()
		w := l.start(nil)
		l.pay(40)
		time.Sleep(l.while)
		w.waitsForIt()
		if n := strings.Count(l.logs.String(), "cannot be taken over"); n != 1 {
			l.t.Errorf("%d lines in the log say so, want 1\n%s", n, l.logs)
		}
		foreign.Abort()
		l.caughtUp()
		l.right()
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		w.stop()
	})
}

// TestForeignTransactionThatIsCommitted: what somebody else has written there is no
// snapshot. Its partition stops, and only that.
func TestForeignTransactionThatIsCommitted(t *testing.T) {
	onGrounds(t, func(l *lab) {
		l.pay(40)
		l.once()
		before := l.watermarks()
		l.foreign().Commit()
		w := l.start(nil)
		_ = w.stops(1, "record "+l.fold.Snapshots+"/1/", "no snapshot")
		l.pay(40)
		l.until("flush of the other partitions", func() bool {
			moved := 0
			for _, p := range w.Progress() {
				if p.Watermark > before[p.Partition.Partition] {
					moved++
				}
			}
			return moved == partitions-1
		})
		if err := errors.Join(w.stopped(0), w.stopped(2)); err != nil {
			l.t.Errorf("other partitions stopped, too: %v", err)
		}
		w.stop()
	})
}

// TestForeignTransactionOutlastsTheCleaner: somebody holds a transaction open for
// longer than what was replaced stays. Behind it the former owner has replaced
// everything.
func TestForeignTransactionOutlastsTheCleaner(t *testing.T) {
	l := newRealLab(t)
	settings := map[string]*string{}
	for name, value := range map[string]string{
		"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime", "segment.ms": "2000",
		"min.cleanable.dirty.ratio": "0.01", "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "3000",
	} {
		settings[name] = &value
	}
	l.Kafka.CreateTopic(l.fold.Snapshots, partitions, settings)
	former := l.start(nil)
	l.pay(20)
	l.caughtUp()
	l.cleaned()
	foreign := l.foreign()
	for began := time.Now(); time.Since(began) < 6*time.Second; time.Sleep(l.look) {
		l.pay(20)
	}
	former.kill()
	w := l.start(nil)
	w.waitsForIt()
	foreign.Abort()
	l.caughtUp()
	for _, wrong := range l.wrongLoad() {
		t.Error(wrong)
	}
	l.cleaned()
	w.stop()
}

// cleaned waits until the cleaner has removed snapshots of each partition, which
// stand behind its beginning, while they are replaced.
func (l *lab) cleaned() {
	l.t.Helper()
	before := l.snapshots()
	l.until("cleaner that removes something", func() bool {
		l.pay(20)
		for p, all := range l.snapshots() {
			if all[1].Next == before[p][1].Next {
				return false
			}
		}
		return true
	})
}

// TestTransactionInTheSource: the worker is ready at the LSO. What is behind it
// follows when the transaction ends; of one that is aborted nothing does.
func TestTransactionInTheSource(t *testing.T) {
	for _, end := range []struct {
		name string
		of   func(*streamstest.Txn)
	}{{"committed", (*streamstest.Txn).Commit}, {"aborted", (*streamstest.Txn).Abort}} {
		t.Run(end.name, func(t *testing.T) {
			onGrounds(t, func(l *lab) {
				l.pay(40)
				open := l.Kafka.Begin(l.topic + "-writer")
				open.Produce(l.topic, l.paid(101, "1.10"), l.paid(102, "1.10"), l.paid(103, "1.10"))
				l.pay(40)
				w := l.start(nil)
				l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
				l.caughtUp()
				l.right()
				held := l.watermarks()
				time.Sleep(l.while)
				if now := l.watermarks(); now != held {
					l.t.Errorf("watermarks %v, then %v: they have passed the LSO", held, now)
				}
				end.of(open)
				l.caughtUp()
				l.right()
				w.stop()
			})
		})
	}
}
