package projection

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/streamstest"
)

// lacking makes a worker whose script lacks those checks.
func lacking(checks ...string) func(*Projector) {
	source := applySource
	for _, c := range checks {
		source = regexp.MustCompile(`(?s)--<`+c+`>\n.*?--</`+c+`>`).ReplaceAllString(source, "")
	}
	return func(p *Projector) {
		p.newStore = func(client redis.UniversalClient, id ViewID) *Store {
			s := NewStore(client, id)
			s.scripts.apply = redis.NewScript(source)
			return s
		}
	}
}

// right says whether every row has the sums that the log gives.
func (l *lab) right() bool {
	sums := map[string]int{}
	for _, r := range l.Kafka.Read("orders") {
		sums[string(r.Key)]++
	}
	rows := l.rows(l.views[0])
	for key, n := range sums {
		if rows[key]["payments"] != fmt.Sprint(n) {
			return false
		}
	}
	return len(rows) == len(sums)
}

// withAndWithout runs a story twice: with the defence, where the rows must be
// right in the end, and without it, where they must not, or the story proves
// nothing.
func withAndWithout(t *testing.T, story func(t *testing.T, defended bool) (right bool)) {
	t.Helper()
	for _, defended := range []bool{true, false} {
		t.Run(fmt.Sprintf("defended=%v", defended), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if story(t, defended) != defended {
					t.Errorf("rows right: %v", !defended)
				}
			})
		})
	}
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
	withAndWithout(t, func(t *testing.T, defended bool) bool {
		l := newLab(t, oneView)
		if !defended {
			l.weaken = lacking("stale")
		}
		w := l.start(nil, 0)
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		for range 5 {
			lost := w.redis.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 1, Action: streamstest.CutReply})
			l.payPartition(0, 7)
			l.until("lost reply", func() bool { return closed(lost) })
			l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) >= l.Kafka.LSO("orders")[0] })
		}
		return l.right()
	})
}

// TestFrozenWorkerChangesNothing: a worker is stopped with a batch on its way,
// another one takes over and works, then the first one's batch arrives.
func TestFrozenWorkerChangesNothing(t *testing.T) {
	withAndWithout(t, func(t *testing.T, defended bool) bool {
		l := newLab(t, oneView)
		if !defended {
			l.weaken = lacking("stale", "fenced")
		}
		first := l.start(nil, 0)
		l.until("readiness", func() bool { return len(first.NotReady()) == 0 })
		frozen := first.redis.Inject(streamstest.Fault{Request: "EVALSHA", Action: streamstest.FreezeRequest})
		l.payPartition(0, 50)
		l.until("frozen worker", func() bool { return closed(frozen) })
		first.kafka.Freeze()

		second := l.start(nil, 0)
		l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) >= l.Kafka.LSO("orders")[0] })
		l.payPartition(0, 10)
		l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) >= l.Kafka.LSO("orders")[0] })
		second.stop()
		first.redis.Thaw()
		time.Sleep(time.Second)
		right := l.right()
		first.kill()
		return right
	})
}

// TestOwnerThatWokeBetweenAssignmentAndFirstScriptIsReplaced: a worker freezes
// before it raises the epoch, and wakes when another one has worked. The other
// one is fenced by it and has to join again, or nobody would go on: the woken
// one is no longer a member.
func TestOwnerThatWokeBetweenAssignmentAndFirstScriptIsReplaced(t *testing.T) {
	for _, defended := range []bool{true, false} {
		t.Run(fmt.Sprintf("defended=%v", defended), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, oneView)
				l.payPartition(0, 20)
				woken := l.start(nil, 0)
				// the second script: the first one defines the view
				frozen := woken.redis.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 3, Action: streamstest.FreezeRequest})
				l.until("frozen worker", func() bool { return closed(frozen) })

				l.deaf = !defended
				l.start(nil, 0)
				l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) >= l.Kafka.LSO("orders")[0] })
				before := l.bookkeeping(l.views[0]).Epochs[orders(0)]
				woken.redis.Thaw()
				l.until("raised epoch", func() bool { return l.bookkeeping(l.views[0]).Epochs[orders(0)] > before })
				woken.kill() // its group has given the partition to the owner

				l.payPartition(0, 20)
				time.Sleep(time.Minute)
				if moved := l.position(l.views[0], 0) >= l.Kafka.LSO("orders")[0]; moved != defended {
					t.Errorf("the partition goes on: %v\n%s", moved, l.logs)
				}
			})
		})
	}
}

// TestRestoredRedisIsNoticed: Redis comes back from an older dump, with events
// after it and with none.
func TestRestoredRedisIsNoticed(t *testing.T) {
	for _, after := range []int{0, 30} {
		t.Run(fmt.Sprintf("events after=%d", after), func(t *testing.T) {
			withAndWithout(t, func(t *testing.T, defended bool) bool {
				if !defended && after > 0 {
					return false // the next script notices by itself
				}
				l := newLab(t, oneView)
				l.pay(100)
				if !defended {
					l.weaken = func(p *Projector) { p.idleCheck = 24 * time.Hour }
				}
				w := l.start(nil)
				l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
				dump := l.Redis.Snapshot()
				l.pay(100)
				l.untilApplied()
				w.kafka.Freeze() // so that it is seen what happens before the events are read again
				l.Redis.Restart(dump)
				if defended && after == 0 {
					l.until("rebuilding view", func() bool { return l.state(l.views[0]) == StateRebuilding })
					if len(w.NotReady()) == 0 {
						t.Error("a worker that rebuilds is ready")
					}
				}
				w.kafka.Thaw()
				l.pay(after)
				time.Sleep(30 * time.Second)
				if right := l.right(); !right {
					return false
				}
				if s := l.state(l.views[0]); s != StateHot {
					t.Errorf("rows are right again and the view is %s", s)
				}
				if !strings.Contains(l.logs.String(), "went back in time") {
					t.Error("the rollback was not logged")
				}
				return true
			})
		})
	}
}

// TestWipedRedisIsRebuilt: everything vanishes while the view is hot.
func TestWipedRedisIsRebuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(200)
		w := l.start(nil)
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		w.kafka.Freeze()
		l.Redis.Wipe()
		l.until("rebuilding view", func() bool { return l.state(l.views[0]) == StateRebuilding })
		w.kafka.Thaw()
		l.until("right rows", l.right)
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
	})
}

// TestKilledWorkersLoseAndDoubleNothing kills workers at seeded points of their
// scripts and starts others, one of them half-way.
func TestKilledWorkersLoseAndDoubleNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(seed, 0))
		l := newLab(t, oneView)
		small := func(o *Options) { o.Config.BatchMaxOps, o.Config.ColdBatchMaxOps = 10, 10 }
		workers := map[int32]*worker{0: l.start(small, 0), 1: l.start(small, 1), 2: l.start(small, 2)}
		for range 50 {
			l.pay(40)
			victim := random.Int32N(partitions)
			action := []streamstest.Action{streamstest.CutRequest, streamstest.CutReply}[random.IntN(2)]
			struck := workers[victim].redis.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 1 + random.IntN(4), Action: action})
			l.until("struck worker", func() bool { l.pay(3); return closed(struck) })
			workers[victim].kill()
			workers[victim] = l.start(small, victim)
		}
		l.untilApplied()
		if !l.right() {
			t.Errorf("rows are wrong with seed %d", seed)
		}
	})
}

// TestHotDoesNotWaitForAnOpenTransaction, and its records are in the rows once it
// commits; those of an aborted one never are.
func TestHotDoesNotWaitForAnOpenTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		aborted := l.Kafka.Begin("aborted")
		aborted.Produce("orders", l.paid(1, "1.10", 1), l.paid(2, "1.10", 1), l.paid(3, "1.10", 1))
		aborted.Abort()
		open := l.Kafka.Begin("open")
		open.Produce("orders", l.paid(1, "1.10", 1), l.paid(2, "1.10", 1), l.paid(3, "1.10", 1))
		w := l.start(nil)
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		if !l.right() {
			t.Error("rows are wrong while a transaction is open")
		}
		open.Commit()
		l.untilApplied()
		if !l.right() {
			t.Error("rows are wrong after the commit")
		}
	})
}

// TestEmptyPartitionsAreHot: a topic without events is a view without rows, hot.
func TestEmptyPartitionsAreHot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.start(nil)
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
	})
}

func orders(p int32) streams.Partition { return streams.Partition{Topic: "orders", Partition: p} }

// payPartition writes n payments into one partition.
func (l *lab) payPartition(p int32, n int) {
	l.t.Helper()
	var events []streamstest.Event
	for i := 0; len(events) < n; i++ {
		e := l.paid(i%20, "1.10", i%4)
		if streams.PartitionOf([]byte(e.Stream), partitions) == p {
			events = append(events, e)
		}
	}
	l.Kafka.Produce("orders", events...)
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
