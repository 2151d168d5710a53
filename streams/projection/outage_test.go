package projection

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams/internal/followtest"
	"github.com/millrace/millrace/streams/kafka"
)

// TestRedisThatRefusesWritesIsWaitedFor: it answers whoever asks, and the batch
// waits. One line says so, one that it is over, and nothing stops.
func TestRedisThatRefusesWritesIsWaitedFor(t *testing.T) {
	writes := []string{redis.NewScript(applySource).Hash(), redis.NewScript(confirmSource).Hash(), redis.NewScript(assignSource).Hash()}
	for _, refusal := range []string{
		"OOM command not allowed when used memory > 'maxmemory'.",
		"READONLY You can't write against a read only replica.",
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
	} {
		t.Run(refusal[:3], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, oneView)
				l.pay(30)
				w := l.start(nil)
				l.until("readiness", func() bool { return l.state(l.views[0]) == StateHot && len(w.NotReady()) == 0 })
				l.Redis.Server().Server().SetPreHook(func(c *server.Peer, command string, args ...string) bool {
					if command != "EVALSHA" || !slices.Contains(writes, args[0]) {
						return false
					}
					c.WriteError(refusal)
					return true
				})
				l.pay(30)
				time.Sleep(10 * time.Minute)
				if why := strings.Join(w.NotReady(), "\n"); !strings.Contains(why, "redis does not answer: ") || !strings.Contains(why, refusal) {
					t.Errorf("not ready: %q", why)
				}
				l.Redis.Server().Server().SetPreHook(nil)
				l.until("right rows", l.right)
				l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
				said, over := strings.Count(l.logs.String(), "waiting for it"), strings.Count(l.logs.String(), "answers again")
				if said != 1 || over != 1 || stopped(w, 0) != nil {
					t.Errorf("%d lines say that redis is away, %d that it is back\n%s", said, over, l.logs)
				}
			})
		})
	}
}

// TestIdleProjectorSeesThatKafkaIsAway: it is at the stable end, and has nothing to
// ask.
func TestIdleProjectorSeesThatKafkaIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		w := l.start(nil)
		l.until("readiness", func() bool { return l.state(l.views[0]) == StateHot && len(w.NotReady()) == 0 })
		followtest.LosesKafka(t, w, w.kafka, "order")
	})
}

// TestProjectorThatLostItsGroupIsNotReady until it is told that there is nothing
// for it.
func TestProjectorThatLostItsGroupIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		group := followtest.NewLosing()
		w := l.start(func(o *Options) {
			o.Assigner = func(_ string, topics []string) kafka.Assigner {
				group.Assigner = kafka.NewDirect(l.partitions(topics, []int32{0, 1, 2})...)
				return group
			}
		})
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		group.LosesGroup(t, w, "order")
	})
}
