package compaction

import (
	"testing"
	"testing/synctest"

	"github.com/millrace/millrace/streams/internal/followtest"
	"github.com/millrace/millrace/streams/kafka"
)

// TestIdleCompactorSeesThatKafkaIsAway: it is at the stable end, and has nothing to
// write or to ask.
func TestIdleCompactorSeesThatKafkaIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		w := l.settled(nil)
		followtest.LosesKafka(t, w, w.kafka, "order")
		w.stop()
	})
}

// TestCompactorThatLostItsGroupIsNotReady until it is told that there is nothing
// for it.
func TestCompactorThatLostItsGroupIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		group := followtest.NewLosing()
		w := l.settled(func(o *Options) {
			assigner := o.Assigner
			o.Assigner = func(name string, topics []string) kafka.Assigner {
				group.Assigner = assigner(name, topics)
				return group
			}
		})
		group.LosesGroup(t, w, "order")
		w.stop()
	})
}
