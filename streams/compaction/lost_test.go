package compaction

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/streamstest"
)

// remake deletes the event topic and creates it again.
func (l *lab) remake() {
	l.t.Helper()
	if _, err := l.Kafka.Admin().DeleteTopic(l.t.Context(), l.topic); err != nil {
		l.t.Fatal(err)
	}
	l.Kafka.CreateTopic(l.topic, partitions, nil)
}

// TestSourceMadeAnewBeforeItIsRead: a worker waits to take over, and meanwhile the
// source becomes another one, which is longer than the watermark. Its events are
// not folded onto the states of the former one.
func TestSourceMadeAnewBeforeItIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.pay(40)
		l.once()
		marks := l.watermarks()
		foreign := l.foreign()
		w := l.start(nil, 1)
		w.waitsForIt()
		l.remake()
		anew := l.Kafka.Begin("anew") // by a client that knows no other
		anew.Produce("orders", l.payments(80)...)
		anew.Commit()
		foreign.Abort()
		_ = w.stops(1, "topic orders was made anew", "raise the version")
		w.stop()
		if now := l.watermarks(); now != marks {
			t.Errorf("watermarks %v, then %v", marks, now)
		}
	})
}

// TestDeletedSnapshotsAreMissed: for a while the policy of the topic was to delete.
// Neither a worker nor a reader takes the streams that are left for all.
func TestDeletedSnapshotsAreMissed(t *testing.T) {
	onGrounds(t, func(l *lab) {
		l.pay(40)
		l.once()
		ends := l.Kafka.LSO(l.fold.Snapshots)
		l.Kafka.Produce(l.topic, l.paid(in(1, 1)[0], "1.10"))
		l.once()
		l.policy("compact,delete")
		l.deleteUntil(l.fold.Snapshots, 1, ends[1])
		l.policy("compact")
		because := fmt.Sprintf("begins at %d, so snapshots before it were deleted", ends[1])
		if _, err := l.tryLoad(); !errors.Is(err, snapshot.ErrUnusable) || !strings.Contains(err.Error(), because) {
			l.t.Errorf("a reader: %v", err)
		}
		w := l.start(nil)
		_ = w.stops(1, because, "raise the version")
		w.stop()
	})
}

// policy sets what becomes of old records of the snapshot topic.
func (l *lab) policy(value string) {
	l.t.Helper()
	set := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "cleanup.policy", Value: &value}}
	if answers, err := l.admin.AlterTopicConfigs(l.t.Context(), set, l.fold.Snapshots); err != nil || answers[0].Err != nil {
		l.t.Fatal(err, answers)
	}
}

// TestLostLogIsNotFlushed: in the midst of a batch a worker is told that the log may
// have lost what it folds. It writes no more than what was on its way, also where
// it is to end.
func TestLostLogIsNotFlushed(t *testing.T) {
	for _, ends := range []bool{false, true} {
		t.Run(fmt.Sprintf("ends=%t", ends), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				w := l.settled(func(o *Options) { o.Config.FlushStreams, o.Config.FlushInterval = 1, later })
				held := l.Kafka.Server().Fault(kfake.Fault{
					Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders.snapshots", Err: kerr.NotLeaderForPartition, Count: -1,
				})
				var events []streamstest.Event // of one fetch
				for _, n := range in(0, 3) {
					events = append(events, l.paid(n, "1.10"))
				}
				l.Kafka.Produce("orders", events...)
				l.until("flush on its way", func() bool { return held.Hits() > 0 })
				l.remake()
				time.Sleep(time.Minute) // until the reader has seen it
				if ends {
					w.cancel()
				}
				held.Remove()
				if !ends {
					_ = w.stops(0, "orders/0", "made anew")
				}
				w.stop()
				if at := l.watermarks()[0]; at != 2 {
					t.Errorf("the watermark is %d, want 2", at)
				}
			})
		})
	}
}

// TestIgnoredEventsAreCountedOnce, also where a flush fails and they are folded
// again.
func TestIgnoredEventsAreCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		registry := prometheus.NewRegistry()
		w := l.start(func(o *Options) { o.Metrics = NewMetrics(registry) })
		l.pay(20)
		l.caughtUp()
		failed := l.Kafka.Server().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.InvalidTxnState})
		l.Kafka.Produce("orders", streamstest.Event{Stream: l.stream(1), Type: "Viewed"})
		l.caughtUp()
		w.stop()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		counted := 0.0
		for _, f := range families {
			if f.GetName() == "millrace_compactor_ignored_events_total" {
				counted = f.GetMetric()[0].GetCounter().GetValue()
			}
		}
		if counted != 1 || failed.Hits() != 1 {
			t.Errorf("%v events are counted after %d faults, want 1", counted, failed.Hits())
		}
	})
}
