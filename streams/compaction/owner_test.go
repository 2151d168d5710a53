package compaction

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/streamstest"
)

// TestFrozenOwnerCommitsNothing: an owner stands still with a transaction on its
// way, another one takes over and works, then the transaction arrives.
func TestFrozenOwnerCommitsNothing(t *testing.T) {
	for _, request := range []string{"Produce", "EndTxn"} {
		t.Run(request, func(t *testing.T) {
			onGrounds(t, func(l *lab) {
				w := l.start(nil)
				l.pay(40)
				l.caughtUp()
				frozen := w.kafka.Inject(streamstest.Fault{Request: request, Action: streamstest.FreezeRequest})
				l.pay(40)
				l.until("frozen worker", func() bool { return closed(frozen) })
				other := l.start(nil)
				l.pay(40)
				l.caughtUp()
				w.kafka.Thaw()
				l.until("fence", func() bool { return strings.Contains(l.logs.String(), "took the partition over") })
				l.pay(40)
				l.caughtUp()
				l.right()
				w.stop()
				other.stop()
			})
		})
	}
}

// TestFrozenOwnerOfAGroup: its partitions are given to another one, and when it
// wakes it commits nothing, joins again and has its share.
func TestFrozenOwnerOfAGroup(t *testing.T) {
	l := newRealLab(t)
	inGroup := func(o *Options) {
		config := o.Kafka
		o.Assigner = func(group string, topics []string) kafka.Assigner {
			return kafka.NewGroup(config, kafka.GroupOptions{Group: group, Topics: topics, SessionTimeout: 3 * time.Second})
		}
	}
	w := l.start(inGroup)
	l.pay(40)
	l.caughtUp()
	frozen := w.kafka.Inject(streamstest.Fault{Request: "EndTxn", Action: streamstest.FreezeRequest})
	l.pay(40)
	l.until("frozen worker", func() bool { return closed(frozen) })
	other := l.start(inGroup)
	l.pay(40)
	l.caughtUp()
	w.kafka.Thaw()
	l.until("share of each", func() bool {
		owned, others := len(w.Progress()), len(other.Progress())
		return owned > 0 && others > 0 && owned+others == partitions && len(w.NotReady())+len(other.NotReady()) == 0
	})
	l.pay(40)
	l.caughtUp()
	l.right()
	w.stop()
	other.stop()
}

// asked is an assigner that counts what it is asked for. It never lets its worker
// join again.
type asked struct {
	kafka.Assigner
	commits, rejoins atomic.Int64
}

// instead puts it in the place of the assigner.
func (a *asked) instead(o *Options) {
	assigner := o.Assigner
	o.Assigner = func(group string, topics []string) kafka.Assigner {
		a.Assigner = assigner(group, topics)
		return a
	}
}

func (a *asked) Commit(context.Context, map[streams.Partition]int64) error {
	a.commits.Add(1)
	return nil
}

func (a *asked) Rejoin() { a.rejoins.Add(1) }

// TestFencedOwnerDoesNotTakeItsPartitionBack: it asks to join again, and until
// then leaves the new owner alone.
func TestFencedOwnerDoesNotTakeItsPartitionBack(t *testing.T) {
	onGrounds(t, func(l *lab) {
		l.pay(40)
		first := new(asked)
		fenced := l.start(first.instead)
		l.caughtUp()
		second := new(asked)
		owner := l.start(second.instead)
		for range 10 {
			l.pay(40)
			l.caughtUp()
		}
		if n := first.rejoins.Load(); n != partitions || second.rejoins.Load() != 0 {
			l.t.Errorf("the fenced owner of %d partitions asks %d times to join again, the other one %d times", partitions, n, second.rejoins.Load())
		}
		if n := fenced.kafka.Requests("InitProducerID"); n != partitions {
			l.t.Errorf("it has taken partitions %d times, want %d", n, partitions)
		}
		l.right()
		fenced.stop()
		owner.stop()
	})
}

// TestEditedRulesAreRefused, and what changes no state is not.
func TestEditedRulesAreRefused(t *testing.T) {
	onGrounds(t, func(l *lab) {
		l.pay(40)
		l.once()
		before := l.watermarks()
		fold := l.fold
		l.fold = l.compile(strings.Replace(orderFold, "payments: 1", "payments: 2", 1))
		l.pay(40)
		var digest *snapshot.DigestError
		if err := l.start(nil).leaves(fold.Snapshots+"/", "raise version"); !errors.As(err, &digest) || digest.Found == digest.Expected {
			l.t.Errorf("it left with %v", err)
		}
		l.fold = fold
		if after := l.watermarks(); after != before {
			l.t.Errorf("edited rules have moved the watermarks from %v to %v", before, after)
		}
		l.fold = l.compile(strings.Replace(orderFold, "on_error: stop", "on_error: stop # as ever", 1))
		w := l.start(nil)
		l.caughtUp()
		l.right()
		w.stop()
		l.fold = l.compile(strings.Replace(orderFold, "name: order", "name: order\nversion: 2", 1))
		w = l.start(nil)
		l.caughtUp()
		l.right()
		w.stop()
	})
}

// TestReadyAtTheEndOfItsAssignment, and not before.
func TestReadyAtTheEndOfItsAssignment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.pay(40)
		var frozen <-chan struct{}
		l.before = func(w *worker) {
			frozen = w.kafka.Inject(streamstest.Fault{Request: "Fetch", Action: streamstest.FreezeRequest}) // of events: there are no snapshots
		}
		w := l.start(nil, 0)
		l.until("frozen worker", func() bool { return closed(frozen) })
		if why := fmt.Sprint(w.NotReady()); why != "[order orders/0: not yet at the stable end of its assignment]" {
			t.Errorf("not ready: %s", why)
		}
		w.kafka.Thaw()
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		w.stop()
	})
}

// TestSnapshotTopicMadeAnew: what was written to the former one is not in it, and
// has to be folded again, by an owner that has only loaded as by one that wrote.
func TestSnapshotTopicMadeAnew(t *testing.T) {
	for _, wrote := range []bool{false, true} {
		t.Run(fmt.Sprintf("wrote=%t", wrote), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				l.pay(40)
				l.once()
				w := l.start(nil)
				if wrote {
					l.pay(40)
					l.caughtUp()
				}
				l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
				if _, err := l.Kafka.Admin().DeleteTopic(t.Context(), l.fold.Snapshots); err != nil {
					t.Fatal(err)
				}
				compact := "compact"
				l.Kafka.CreateTopic(l.fold.Snapshots, partitions, map[string]*string{"cleanup.policy": &compact})
				l.pay(40)
				time.Sleep(2 * time.Minute)
				l.right()
				if n := len(l.load()); n != 20 {
					t.Errorf("%d streams, want 20", n)
				}
				l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
				w.stop()
			})
		})
	}
}

// TestKafkaThatIsAwayIsWaitedFor.
func TestKafkaThatIsAwayIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.pay(40)
		l.before = func(w *worker) { w.kafka.Down() }
		w := l.start(nil)
		time.Sleep(5 * time.Minute)
		if why := fmt.Sprint(w.NotReady()); !strings.Contains(why, "starting") {
			t.Errorf("not ready: %s", why)
		}
		w.kafka.Up()
		l.caughtUp()
		w.kafka.Down()
		l.pay(40)
		time.Sleep(5 * time.Minute)
		w.kafka.Up()
		l.caughtUp()
		l.right()
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		if n := strings.Count(l.logs.String(), "\n"); n > 40 {
			t.Errorf("%d lines in the log\n%s", n, l.logs)
		}
		w.stop()
	})
}
