package compaction

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams/internal/followtest"
	"github.com/millrace/millrace/streams/kafka"
)

// TestIdleCompactorSeesThatKafkaIsAway: it is at the stable end, and has nothing to
// write or to ask.
func TestIdleCompactorSeesThatKafkaIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		w := l.settled(nil)
		time.Sleep(time.Minute)
		if why := w.NotReady(); len(why) > 0 {
			t.Errorf("idle, and not ready: %q", why)
		}
		w.kafka.Down()
		time.Sleep(10 * time.Second)
		for range 120 {
			if why := strings.Join(w.NotReady(), "\n"); !strings.HasPrefix(why, "order: kafka does not answer the reader: ") {
				t.Fatalf("not ready: %q", why)
			}
			time.Sleep(time.Second)
		}
		w.kafka.Up()
		time.Sleep(10 * time.Second)
		if why := w.NotReady(); len(why) > 0 {
			t.Errorf("Kafka is back, and it is not ready: %q", why)
		}
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
		close(group.Gone)
		time.Sleep(time.Minute)
		if why := fmt.Sprint(w.NotReady()); why != "[order: the group is away order: not assigned yet]" {
			t.Errorf("not ready: %s", why)
		}
		close(group.Back)
		time.Sleep(time.Minute)
		if why := w.NotReady(); len(why) > 0 {
			t.Errorf("a member without partitions is not ready: %q", why)
		}
		w.stop()
	})
}
