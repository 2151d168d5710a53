package projection

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/streamstest"
)

// TestViewThatStoppedIsNotReady, while another view goes on.
func TestViewThatStoppedIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, paidViews)
		l.pay(20)
		w := l.start(nil)
		l.untilApplied()
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		id := l.views[0].ID(DefaultPrefix)
		if err := l.Redis.Client().HSet(t.Context(), id.key(keyDefinition), fieldDigest, "of other rules").Err(); err != nil {
			t.Fatal(err)
		}
		l.pay(20)
		l.until("position of the other view", func() bool { return l.bookkeeping(l.views[1]).Positions[orders(0)].Offset == l.Kafka.LSO("orders")[0] })
		time.Sleep(5 * time.Second)
		if why := strings.Join(w.NotReady(), "\n"); !strings.Contains(why, "order: stopped: ") || !strings.Contains(why, "raise version") {
			t.Errorf("not ready: %q", why)
		}
	})
}

// TestReadyIsTheEndOfTheAssignment: a worker is ready when it has once reached the
// LSO that was listed then, and stays so however far it lags afterwards.
func TestReadyIsTheEndOfTheAssignment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.payPartition(0, 1000)
		w := l.start(func(o *Options) { o.Config.BatchMaxOps, o.Config.ColdBatchMaxOps = 10, 10 }, 0)
		freeze := func() {
			frozen := w.redis.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 20, Action: streamstest.FreezeRequest})
			l.until("frozen link", func() bool { return closed(frozen) })
		}
		freeze()
		if at := l.position(l.views[0], 0); at == 0 || at >= 1000 {
			t.Fatalf("position %d", at)
		}
		if why := strings.Join(w.NotReady(), "\n"); !strings.Contains(why, "orders/0: not yet at the stable end of its assignment") {
			t.Errorf("not ready: %q", why)
		}
		w.redis.Thaw()
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		if at := l.position(l.views[0], 0); at < 1000 {
			t.Errorf("ready at %d", at)
		}
		l.payPartition(0, 1000)
		freeze()
		if why := w.NotReady(); len(why) > 0 {
			t.Errorf("lags, and is not ready: %q", why)
		}
		w.redis.Thaw()
	})
}

// TestSpareWorkerIsReady: the group has no partition for it. Before it is told so
// it is not.
func TestSpareWorkerIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(20)
		l.start(nil)
		told := make(chan struct{})
		l.assigned = func(*worker) { <-told }
		spare := l.start(func(o *Options) {
			assigner := o.Assigner
			o.Assigner = func(group string, topics []string) kafka.Assigner {
				h := assigner(group, topics).(*hand)
				h.Assigner = kafka.NewDirect()
				return h
			}
		})
		time.Sleep(time.Minute)
		if why := strings.Join(spare.NotReady(), "\n"); why != "order: not assigned yet" {
			t.Errorf("not ready: %q", why)
		}
		close(told)
		time.Sleep(time.Minute)
		if why := spare.NotReady(); len(why) > 0 {
			t.Errorf("a worker without partitions is not ready: %q", why)
		}
	})
}

// TestLostPositionStops: somebody deletes keys, or Redis evicts them. Events
// must not be added to rows that have them already.
func TestLostPositionStops(t *testing.T) {
	withAndWithout(t, func(t *testing.T, defended bool) bool {
		l := newLab(t, oneView)
		if !defended {
			l.weaken = func(p *Projector) {
				p.newStore = func(client redis.UniversalClient, id ViewID) *Store {
					s := NewStore(client, id)
					s.scripts.assign = redis.NewScript(cut(t, assignSource, "lost"))
					return s
				}
			}
		}
		l.pay(60)
		w := l.start(nil)
		l.untilApplied()
		l.del(l.views[0].ID(DefaultPrefix).key(keyPositions))
		time.Sleep(time.Minute)
		if err := stopped(w, 0); defended && !errors.Is(err, ErrLostPosition) {
			t.Errorf("stopped by %v", err)
		}
		return l.right()
	})
}
