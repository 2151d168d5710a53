package projection

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams/kafka"
)

// unknown has the broker not know a topic for a while, as one that has only just
// started.
func (l *lab) unknown(topic string, key kmsg.Key, d time.Duration) *kfake.FaultHandle {
	l.t.Helper()
	held := l.Kafka.Server().Fault(kfake.Fault{Keys: []kmsg.Key{key}, Topic: topic, Err: kerr.UnknownTopicOrPartition, Count: -1})
	time.AfterFunc(d, held.Remove)
	return held
}

// TestLoadWaitsForABrokerThatKnowsItsTopics.
func TestLoadWaitsForABrokerThatKnowsItsTopics(t *testing.T) {
	for _, topic := range []string{"orders", "orders.snapshots"} {
		for _, key := range []kmsg.Key{kmsg.ListOffsets, kmsg.Metadata} {
			t.Run(topic+" "+key.Name(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					k := newLab(t, snapshotView).keeper()
					k.payPartition(0, 20)
					k.halfway(0, 5)
					w := k.start(nil, 0)
					k.untilHalfway(0)
					unknown := k.unknown(topic, key, 8*time.Second)
					time.Sleep(9 * time.Second)
					k.flush(0, 20)
					if k.untilStable(); unknown.Hits() == 0 || stopped(w, 0) != nil || !k.right() {
						t.Errorf("after %d answers stopped by %v with %v", unknown.Hits(), stopped(w, 0), k.rows(k.views[0]))
					}
				})
			})
		}
	}
}

// TestLoadOfATopicThatIsGoneStops, and says so.
func TestLoadOfATopicThatIsGoneStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newLab(t, snapshotView).keeper()
		k.payPartition(0, 20)
		k.halfway(0, 5)
		w := k.start(nil, 0)
		k.untilHalfway(0)
		if err := k.Kafka.Server().DeleteTopic("orders.snapshots"); err != nil {
			t.Fatal(err)
		}
		k.until("stopped partition", func() bool { return stopped(w, 0) != nil })
		why := stopped(w, 0)
		if !errors.Is(why, kafka.ErrNoTopic) || !strings.HasPrefix(why.Error(), "loading snapshots of orders/0: asking for an offset of orders.snapshots/0: topic does not exist") {
			t.Errorf("stopped by %v", why)
		}
	})
}

// TestAssignmentWaitsForABrokerThatKnowsTheTopic.
func TestAssignmentWaitsForABrokerThatKnowsTheTopic(t *testing.T) {
	for _, key := range []kmsg.Key{kmsg.ListOffsets, kmsg.Metadata} {
		t.Run(key.Name(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, oneView)
				l.payPartition(0, 20)
				w := l.start(nil, 0)
				l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == 20 })
				unknown := l.unknown("orders", key, 8*time.Second)
				for _, h := range w.hands {
					h.Rejoin()
				}
				l.until("question", func() bool { return unknown.Hits() > 0 })
				l.payPartition(0, 20)
				l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == 40 })
			})
		})
	}
}

// TestTopicThatIsUnknownForLongEndsNoView: there may be others that go on.
func TestTopicThatIsUnknownForLongEndsNoView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		w := l.start(nil, 0, 1) // nobody owns partition 2, so the view does not become hot
		l.payPartition(0, 20)
		l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == 20 })
		unknown := l.unknown("orders", kmsg.ListOffsets, time.Minute)
		time.Sleep(2 * time.Minute)
		l.payPartition(0, 20)
		l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == 40 })
		if len(w.done) > 0 || unknown.Hits() == 0 {
			t.Errorf("after %d answers the worker has left", unknown.Hits())
		}
	})
}
