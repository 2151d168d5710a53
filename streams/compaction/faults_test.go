package compaction

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams/streamstest"
)

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestFaultAtEachStep: a connection is lost, or the process stands still, at a
// request of a take-over, a load, a flush. Another worker goes on where it stands
// still, and it wakes when that one has worked.
func TestFaultAtEachStep(t *testing.T) {
	actions := map[string]streamstest.Action{
		"request lost": streamstest.CutRequest, "reply lost": streamstest.CutReply,
		"frozen before": streamstest.FreezeRequest, "frozen behind": streamstest.FreezeReply,
	}
	for _, request := range []string{"InitProducerID", "ListOffsets", "Fetch", "Produce", "EndTxn"} {
		for name, action := range actions {
			for _, nth := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s %d %s", request, nth, name), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						faultAt(newLab(t), streamstest.Fault{Request: request, Nth: nth, Action: action})
					})
				})
			}
		}
	}
}

func faultAt(l *lab, fault streamstest.Fault) {
	l.pay(40)
	l.once() // so that there is something to load
	l.pay(40)
	var struck <-chan struct{}
	l.before = func(w *worker) { struck = w.kafka.Inject(fault) }
	w := l.start(nil)
	l.before = nil
	l.until("fault", func() bool {
		l.pay(3)
		return closed(struck)
	})
	if fault.Action >= streamstest.FreezeRequest {
		time.Sleep(30 * time.Second)
		other := l.start(nil)
		l.caughtUp()
		l.pay(40)
		l.caughtUp()
		other.stop()
		w.kafka.Thaw()
	}
	l.pay(40)
	l.caughtUp()
	l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
	l.right()
	w.stop()
}

// TestKilledAtEachStep: the process dies at a request.
func TestKilledAtEachStep(t *testing.T) {
	for _, request := range []string{"InitProducerID", "ListOffsets", "Fetch", "Produce", "EndTxn"} {
		for _, action := range []streamstest.Action{streamstest.FreezeRequest, streamstest.FreezeReply} {
			t.Run(fmt.Sprintf("%s %d", request, action), func(t *testing.T) {
				onGrounds(t, func(l *lab) {
					for nth := 1; nth <= 3; nth++ {
						l.pay(20)
						var struck <-chan struct{}
						l.before = func(w *worker) {
							struck = w.kafka.Inject(streamstest.Fault{Request: request, Nth: nth, Action: action})
						}
						w := l.start(nil)
						l.until("fault", func() bool {
							l.pay(3)
							return closed(struck)
						})
						w.kill()
					}
					l.before = nil
					w := l.start(nil)
					l.caughtUp()
					l.right()
					w.stop()
				})
			})
		}
	}
}

// TestWorkersThatComeAndGo: at any time a process dies, stands still, wakes, or
// one more starts that believes it owns all partitions.
func TestWorkersThatComeAndGo(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { comeAndGo(newLab(t), rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func comeAndGo(l *lab, random *rand.Rand) {
	var workers []*worker
	small := func(o *Options) { o.Config.FlushStreams = 1 + random.IntN(10) }
	for range 40 {
		if len(workers) == 0 || random.IntN(4) == 0 && len(workers) < 3 {
			workers = append(workers, l.start(small))
		}
		n := random.IntN(len(workers))
		switch random.IntN(6) {
		case 0:
			workers[n].kafka.Freeze()
		case 1:
			workers[n].kafka.Thaw()
		case 2:
			workers[n].kafka.Cut()
		case 3:
			workers[n].kill()
			workers = append(workers[:n], workers[n+1:]...)
		}
		l.history(random, 1+random.IntN(20))
		time.Sleep(time.Duration(random.IntN(12_000)) * time.Millisecond)
	}
	for _, w := range workers {
		w.kill()
	}
	w := l.start(small)
	l.caughtUp()
	l.right()
	w.stop()
}

// history writes events of any kind, some of them in transactions of which some
// are aborted.
func (l *lab) history(random *rand.Rand, n int) {
	l.t.Helper()
	var events []streamstest.Event
	for range n {
		stream := random.IntN(15)
		switch random.IntN(6) {
		case 0:
			events = append(events, l.event("Closed", stream, "{}"))
		case 1:
			events = append(events, l.event("Noted", stream, fmt.Sprintf(`{"note":%q}`, strings.Repeat("x", random.IntN(300)))))
		case 2:
			events = append(events, streamstest.Event{Stream: l.stream(stream), Type: "Viewed"})
		default:
			events = append(events, l.paid(stream, "1.10"))
		}
	}
	switch random.IntN(4) {
	case 0:
		x := l.Kafka.Begin("history")
		x.Produce(l.topic, events...)
		x.Commit()
	case 1:
		x := l.Kafka.Begin("history")
		x.Produce(l.topic, l.paid(100, "1.10"))
		x.Abort()
	default:
		l.Kafka.Produce(l.topic, events...)
	}
}

// TestTwoOwnersDoNotStandStill: two workers believe for ever that they own all
// partitions, and fence each other again and again. Each has begun to fold when
// the other one fences it, and would flush only later.
func TestTwoOwnersDoNotStandStill(t *testing.T) {
	onGrounds(t, func(l *lab) {
		l.patience = time.Minute
		slow := func(o *Options) { o.Config.FlushInterval = l.while / 2 }
		workers := []*worker{l.start(slow)}
		l.moves()
		time.Sleep(l.while / 6)
		workers = append(workers, l.start(slow))
		for range 3 {
			l.moves()
			time.Sleep(l.while / 2)
		}
		l.caughtUp()
		l.right()
		for _, w := range workers {
			w.stop()
		}
	})
}

// moves waits until each watermark has moved, while events come.
func (l *lab) moves() {
	l.t.Helper()
	before := l.watermarks()
	l.until("watermark of each partition that moves", func() bool {
		l.pay(20)
		for p, now := range l.watermarks() {
			if now <= before[p] {
				return false
			}
		}
		return true
	})
}

// TestFlushOfUnknownOutcome: after an error what is in memory is thrown away. What
// was committed is loaded, and the rest is folded again.
func TestFlushOfUnknownOutcome(t *testing.T) {
	for name, fault := range map[string]kfake.Fault{
		"produce": {Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders.snapshots"},
		"end":     {Keys: []kmsg.Key{kmsg.EndTxn}, TxnID: "millrace/orders.snapshots/1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				l.pay(10)
				w := l.start(nil)
				l.caughtUp()
				fault.Err = kerr.InvalidTxnState
				failed := l.Kafka.Server().Fault(fault)
				l.pay(40)
				l.caughtUp()
				l.right()
				if n := strings.Count(l.logs.String(), "starting again from the committed snapshots"); failed.Hits() != 1 || n != 1 {
					t.Errorf("%d faults, logged\n%s", failed.Hits(), l.logs)
				}
				w.stop()
			})
		})
	}
}

// TestRestartsAreToldOnce, however often and with however many events they fail,
// and again after a flush.
func TestRestartsAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		w := l.start(nil)
		for outage := range 2 {
			failing := l.Kafka.Server().Fault(kfake.Fault{
				Keys: []kmsg.Key{kmsg.EndTxn}, TxnID: "millrace/orders.snapshots/1", Err: kerr.InvalidTxnState, Count: -1,
			})
			for range 10 {
				l.pay(20)
				time.Sleep(10 * time.Second)
			}
			if n := strings.Count(l.logs.String(), "starting again"); n != outage+1 || failing.Hits() < 20 {
				t.Errorf("told %d times in outage %d of %d tries", n, outage+1, failing.Hits())
			}
			l.until("reason", func() bool { return strings.Contains(fmt.Sprint(w.NotReady()), "INVALID_TXN_STATE") })
			failing.Remove()
			l.caughtUp()
		}
		l.right()
		w.stop()
	})
}

// TestTwoTakeOversAtOnce: the broker may answer the slower one that it is fenced.
// It asks again.
func TestTwoTakeOversAtOnce(t *testing.T) {
	for _, answer := range []*kerr.Error{kerr.ProducerFenced, kerr.InvalidProducerEpoch} {
		t.Run(answer.Message, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				l.pay(20)
				failed := l.Kafka.Server().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: answer})
				w := l.start(nil)
				l.caughtUp()
				if failed.Hits() != 1 {
					t.Errorf("%d faults", failed.Hits())
				}
				w.stop()
			})
		})
	}
}
