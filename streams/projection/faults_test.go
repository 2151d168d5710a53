package projection

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams/streamstest"
)

// right says whether every row has the sums that the log gives.
func (l *lab) right() bool { return l.has(l.sums()) }

// sums counts the payments of each stream in the log.
func (l *lab) sums() map[string]int {
	sums := map[string]int{}
	for _, r := range l.Kafka.Read(l.topic) {
		sums[string(r.Key)]++
	}
	return sums
}

func (l *lab) has(sums map[string]int) bool {
	rows := l.rows(l.views[0])
	for key, n := range sums {
		if rows[key]["payments"] != fmt.Sprint(n) {
			return false
		}
	}
	return len(rows) == len(sums)
}

// blind makes a worker that does not look for its position by itself.
func blind(p *Projector) { p.idleCheck, p.dials = 24*time.Hour, new(atomic.Int64) }

// comesTrue says whether something comes true while a story has patience.
func (l *lab) comesTrue(ok func() bool) bool {
	for end := time.Now().Add(l.patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return false
}

// untilStable waits until partition 0 of the first view is at the LSO.
func (l *lab) untilStable() {
	l.t.Helper()
	stable := l.Kafka.LSO(l.topic)[0]
	l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) >= stable })
}

const oneView = `
- name: order
  version: 1
  topics: [orders]
  key: "=stream"
  on_error: stop
  on:
    Paid:
      set: {at: "=time"}
      add: {payments: 1, paid: "=data.amount"}
`

// TestWorkerDoesNotApplyTwiceWhatLostItsReply: the connection is cut when the script has run
// and before its reply is read.
func TestWorkerDoesNotApplyTwiceWhatLostItsReply(t *testing.T) {
	bothWays(t, func(l *lab, defended bool) bool {
		l.weaken = blind
		if !defended {
			l.weaken = func(p *Projector) { blind(p); lacking("stale")(p) }
		}
		w := l.start(nil, 0)
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		epoch := l.bookkeeping(l.views[0]).Epochs[l.at(0)]
		for range 5 {
			lost := w.redis.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 1, Action: streamstest.CutReply})
			l.payPartition(0, 7)
			l.until("lost reply", func() bool { return closed(lost) })
			l.untilStable()
		}
		if now := l.bookkeeping(l.views[0]).Epochs[l.at(0)]; defended && now != epoch {
			l.t.Errorf("the partition was taken over anew: epoch %d, then %d", epoch, now)
		}
		return l.right()
	})
}

// TestFrozenWorkerChangesNothing: a worker is stopped with a batch on its way,
// another one takes over and works, then the first one's batch arrives.
func TestFrozenWorkerChangesNothing(t *testing.T) {
	bothWays(t, func(l *lab, defended bool) bool {
		l.weaken = blind // its next script is to be the batch
		if !defended {
			l.weaken = func(p *Projector) { blind(p); lacking("stale", "fenced")(p) }
		}
		first := l.start(nil, 0)
		l.until("readiness", func() bool { return len(first.NotReady()) == 0 })
		if l.groups != "" { // there it owns all partitions, and the script that writes the marks is still to come
			l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		}
		frozen := first.redis.Inject(streamstest.Fault{Request: "EVALSHA", Action: streamstest.FreezeRequest})
		l.payPartition(0, 50)
		l.until("frozen worker", func() bool { return closed(frozen) })
		first.kafka.Freeze()

		second := l.start(nil, 0)
		l.untilStable()
		l.payPartition(0, 10)
		l.untilStable()
		second.stop()
		first.redis.Thaw()
		// where its group has told it meanwhile that it is no owner, it awaits no answer
		l.comesTrue(func() bool { return first.refused() > 0 || !l.right() })
		right := l.right()
		first.kill()
		return right
	})
}

// refused is how many batches of the first view's worker found a newer owner or
// another position.
func (w *worker) refused() float64 {
	m := w.Metrics.of(w.Views[0].Name)
	return testutil.ToFloat64(m.fenced) + testutil.ToFloat64(m.stale)
}

// TestOwnerThatWokeBetweenAssignmentAndFirstScriptIsReplaced: a worker freezes
// before it raises the epoch, and wakes when another one has worked. The other
// one is fenced by it and has to join again, or nobody would go on: the woken
// one is no longer a member.
func TestOwnerThatWokeBetweenAssignmentAndFirstScriptIsReplaced(t *testing.T) {
	bothWays(t, func(l *lab, defended bool) (moves bool) {
		l.payPartition(0, 20)
		frozen := make(chan struct{})
		l.assigned = func(w *worker) {
			w.redis.Freeze()
			w.kafka.Freeze()
			close(frozen)
		}
		woken := l.start(nil, 0)
		l.until("frozen worker", func() bool { return closed(frozen) })

		l.deaf = !defended
		l.start(nil, 0)
		l.untilStable()
		before := l.bookkeeping(l.views[0]).Epochs[l.at(0)]
		woken.redis.Thaw()
		l.until("raised epoch", func() bool { return l.bookkeeping(l.views[0]).Epochs[l.at(0)] > before })
		woken.kill() // its group has given the partition to the owner

		l.payPartition(0, 20)
		stable := l.Kafka.LSO(l.topic)[0]
		return l.comesTrue(func() bool { return l.position(l.views[0], 0) >= stable })
	})
}

// TestRestoredRedisIsNoticed: Redis comes back from an older dump, and no event
// comes after it. What lets a worker notice is that it looks when it is idle.
func TestRestoredRedisIsNoticed(t *testing.T) {
	bothWays(t, func(l *lab, defended bool) bool {
		if !defended {
			l.weaken = blind
		}
		w := l.start(nil)
		goBack(l)
		if defended {
			l.until("rebuilding view", func() bool { return l.state(l.views[0]) == StateRebuilding })
			if len(w.NotReady()) == 0 {
				l.t.Error("a worker that rebuilds is ready")
			}
		}
		w.kafka.Thaw()
		return rebuilt(l)
	})
}

// TestRestoredRedisIsNoticedByTheNextBatch: Redis comes back from an older dump,
// and events come after it.
func TestRestoredRedisIsNoticedByTheNextBatch(t *testing.T) {
	bothWays(t, func(l *lab, defended bool) bool {
		l.weaken = blind
		if !defended {
			l.weaken = func(p *Projector) { blind(p); lacking("stale")(p) }
		}
		w := l.start(nil)
		goBack(l)
		w.kafka.Thaw()
		l.pay(30)
		return rebuilt(l)
	})
}

// goBack sets the Redis of a hot view back to before its last events. Kafka is
// frozen for the workers, so that it is seen what happens before the events are
// read again.
func goBack(l *lab) {
	l.t.Helper()
	l.pay(100)
	l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
	dump := l.dump(l)
	l.pay(100)
	l.untilApplied()
	for _, w := range l.workers {
		w.kafka.Freeze()
	}
	l.restore(l, dump)
}

// rebuilt says whether the rows come right again, and looks that the view is hot
// then and that the rollback was logged.
func rebuilt(l *lab) bool {
	l.t.Helper()
	sums := l.sums()
	if !l.comesTrue(func() bool { return l.has(sums) }) {
		return false
	}
	l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
	if !strings.Contains(l.logs.String(), "went back in time") {
		l.t.Error("the rollback was not logged")
	}
	return true
}

// TestWipedRedisIsRebuilt: everything vanishes while the view is hot, and no
// event comes after it.
func TestWipedRedisIsRebuilt(t *testing.T) {
	bothWays(t, func(l *lab, defended bool) bool {
		if !defended {
			l.weaken = blind
		}
		l.pay(200)
		w := l.start(nil)
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		w.kafka.Freeze()
		l.restore(l, nil)
		if defended {
			l.until("rebuilding view", func() bool { return l.state(l.views[0]) == StateRebuilding })
		}
		w.kafka.Thaw()
		sums := l.sums()
		return l.comesTrue(func() bool { return l.has(sums) && l.state(l.views[0]) == StateHot })
	})
}

// TestHotDoesNotWaitForAnOpenTransaction, and its records are in the rows once it
// commits; those of an aborted one never are.
func TestHotDoesNotWaitForAnOpenTransaction(t *testing.T) {
	onGrounds(t, oneView, func(l *lab) {
		l.pay(30)
		aborted := l.Kafka.Begin(l.topic + ".aborted")
		aborted.Produce(l.topic, l.paid(1, "1.10", 1), l.paid(2, "1.10", 1), l.paid(3, "1.10", 1))
		aborted.Abort()
		open := l.Kafka.Begin(l.topic + ".open")
		open.Produce(l.topic, l.paid(1, "1.10", 1), l.paid(2, "1.10", 1), l.paid(3, "1.10", 1))
		w := l.start(nil)
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		if !l.right() {
			l.t.Error("rows are wrong while a transaction is open")
		}
		open.Commit()
		l.untilApplied()
		if !l.right() {
			l.t.Error("rows are wrong after the commit")
		}
	})
}

// TestHotIsMeasuredAgainstTheStableEnd: against the end of the log, a view would
// wait for as long as somebody's transaction is open.
func TestHotIsMeasuredAgainstTheStableEnd(t *testing.T) {
	withAndWithout(t, func(t *testing.T, defended bool) (hot bool) {
		l := newLab(t, oneView)
		if !defended {
			l.Kafka.Server().ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
				l.Kafka.Server().KeepControl()
				req.(*kmsg.ListOffsetsRequest).IsolationLevel = 0
				return nil, nil, false
			})
		}
		l.pay(30)
		open := l.Kafka.Begin("open")
		open.Produce(l.topic, l.paid(1, "1.10", 1), l.paid(2, "1.10", 1), l.paid(3, "1.10", 1))
		l.start(nil)
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			hot = hot || l.state(l.views[0]) == StateHot
		}
		open.Commit()
		return hot
	})
}

// TestEmptyPartitionsAreHot: a topic without events is a view without rows, hot.
func TestEmptyPartitionsAreHot(t *testing.T) {
	onGrounds(t, oneView, func(l *lab) {
		l.start(nil)
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
	})
}

// TestIdleWorkerThatWakesFencesNobody: a worker without work was stopped, and
// another one has taken its partition over. Taking it back would make the owner
// join its group anew.
func TestIdleWorkerThatWakesFencesNobody(t *testing.T) {
	withAndWithout(t, func(t *testing.T, defended bool) bool {
		l := newLab(t, oneView)
		l.deaf = true // it is not given its partition again
		if !defended {
			l.weaken = func(p *Projector) {
				p.newStore = func(client redis.UniversalClient, id ViewID) *Store {
					s := NewStore(client, id)
					s.scripts.confirm = redis.NewScript(cut(t, confirmSource, "fenced"))
					return s
				}
			}
		}
		woken := l.start(nil, 0)
		l.until("readiness", func() bool { return len(woken.NotReady()) == 0 })
		woken.redis.Freeze()
		woken.kafka.Freeze()
		l.start(nil, 0)
		l.payPartition(0, 20)
		l.untilStable()
		woken.redis.Thaw()
		time.Sleep(time.Minute)
		return l.bookkeeping(l.views[0]).Epochs[orders(0)] == 2
	})
}
