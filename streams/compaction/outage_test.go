package compaction

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams"
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

// losing is an assigner that loses its group for as long as it is told, and comes
// back to one that has nothing for it.
type losing struct {
	kafka.Assigner
	gone, back chan struct{}
}

func (a *losing) Run(ctx context.Context, l kafka.Listener) error {
	before, lose := context.WithCancel(ctx)
	defer lose()
	go func() {
		select {
		case <-a.gone:
			lose()
		case <-before.Done():
		}
	}()
	revoked := l.Revoked
	_ = a.Assigner.Run(before, kafka.Listener{Assigned: l.Assigned, Revoked: func(ctx context.Context, ps []streams.Partition, _ bool) {
		revoked(ctx, ps, true)
	}})
	select {
	case <-a.back:
		l.Assigned(ctx, nil)
		<-ctx.Done()
	case <-ctx.Done():
	}
	return ctx.Err()
}

func (a *losing) Reason() string {
	if closed(a.gone) && !closed(a.back) {
		return "the group is away"
	}
	return ""
}

// TestCompactorThatLostItsGroupIsNotReady until it is told that there is nothing
// for it.
func TestCompactorThatLostItsGroupIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		group := &losing{gone: make(chan struct{}), back: make(chan struct{})}
		w := l.settled(func(o *Options) {
			assigner := o.Assigner
			o.Assigner = func(name string, topics []string) kafka.Assigner {
				group.Assigner = assigner(name, topics)
				return group
			}
		})
		close(group.gone)
		time.Sleep(time.Minute)
		if why := fmt.Sprint(w.NotReady()); why != "[order: the group is away order: not assigned yet]" {
			t.Errorf("not ready: %s", why)
		}
		close(group.back)
		time.Sleep(time.Minute)
		if why := w.NotReady(); len(why) > 0 {
			t.Errorf("a member without partitions is not ready: %q", why)
		}
		w.stop()
	})
}
