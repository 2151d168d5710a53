package compaction

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
)

// leaves waits for the error that a worker leaves with.
func (w *worker) leaves(parts ...string) error {
	w.lab.t.Helper()
	select {
	case <-w.done:
	case <-time.After(time.Minute):
		w.lab.t.Fatalf("the compactor goes on: %v", w.NotReady())
	}
	for _, part := range parts {
		if w.err == nil || !strings.Contains(w.err.Error(), part) {
			w.lab.t.Errorf("it left with %v, want %q", w.err, part)
		}
	}
	return w.err
}

// stops waits for the error that a partition stops with.
func (w *worker) stops(partition int32, parts ...string) error {
	w.lab.t.Helper()
	w.lab.until("stopped partition", func() bool { return w.stopped(partition) != nil })
	err := w.stopped(partition)
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			w.lab.t.Errorf("it stopped with %v, want %q", err, part)
		}
	}
	return err
}

// deleteUntil deletes the first records of a partition, as retention does.
func (l *lab) deleteUntil(topic string, partition int32, offset int64) {
	l.t.Helper()
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: topic, Partition: partition, At: offset})
	if answers, err := l.admin.DeleteRecords(l.t.Context(), offsets); errors.Join(err, answers.Error()) != nil {
		l.t.Fatal(err, answers.Error())
	}
}

// TestRetention: a topic whose events Kafka deletes by and by is refused, unless
// that is accepted.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.pay(20)
		day := "86400000"
		if _, err := l.Kafka.Admin().AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "retention.ms", Value: &day}}, "orders"); err != nil {
			t.Fatal(err)
		}
		if err := l.start(nil).leaves("orders", "retention.ms is 86400000"); !errors.Is(err, kafka.ErrRetention) {
			t.Errorf("it left with %v", err)
		}
		w := l.start(func(o *Options) { o.Topics = map[string]kafka.TopicConfig{"orders": {AcceptRetention: true}} })
		l.caughtUp()
		w.stop()
	})
}

// TestDeletedBeginning: a partition whose first events are in no snapshot stops,
// and only that.
func TestDeletedBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.pay(40)
		l.deleteUntil("orders", 1, 2)
		w := l.start(nil)
		err := w.stops(1, "reach to offset 0 of orders/1, which begins at 2 (retention.ms is -1)", "take the snapshots anew")
		if !errors.Is(err, snapshot.ErrUnusable) {
			t.Errorf("it stopped with %v", err)
		}
		l.until("other partitions", func() bool { at := l.watermarks(); return at[0] > 0 && at[2] > 0 && at[1] == 0 })
		w.stop()
	})
}

// TestDeletedBehindTheSnapshots: they have what is gone. With one event more they
// have not.
func TestDeletedBehindTheSnapshots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.pay(40)
		l.once()
		before := l.load()
		l.deleteUntil("orders", 1, l.watermarks()[1])
		n := in(1, 1)[0]
		l.Kafka.Produce("orders", l.paid(n, "1.10"))
		l.once()
		was, is := l.order(before[string(l.stream(n))]), l.order(l.load()[string(l.stream(n))])
		if was.version++; is.version != was.version || is.cents != was.cents+110 {
			t.Errorf("it is %+v, want one payment more than %+v", is, was)
		}
		l.Kafka.Produce("orders", l.paid(n, "1.10"), l.paid(n, "1.10"))
		reach := l.watermarks()[1]
		l.deleteUntil("orders", 1, reach+1)
		w := l.start(nil)
		_ = w.stops(1, fmt.Sprintf("reach to offset %d of orders/1, which begins at %d (", reach, reach+1))
		w.stop()
	})
}

// TestSettingsOfTheSnapshotTopic: each that is another one is named, with what
// follows; one that loses snapshots is refused.
func TestSettingsOfTheSnapshotTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		compact, short, bad := "compact", "1000", "delete"
		l.Kafka.CreateTopic("orders.snapshots", partitions, map[string]*string{"cleanup.policy": &compact, "min.compaction.lag.ms": &short})
		l.pay(20)
		l.once()
		if want := "topic orders.snapshots has min.compaction.lag.ms 1000 instead of 600000: readers need more passes"; !strings.Contains(l.logs.String(), want) {
			t.Errorf("no %q in the log\n%s", want, l.logs)
		}
		l.fold.Snapshots = "others"
		l.Kafka.CreateTopic("others", partitions, map[string]*string{"cleanup.policy": &bad})
		_ = l.start(nil).leaves("others", "cleanup.policy delete")
		l.fold.Snapshots = "fewer"
		l.Kafka.CreateTopic("fewer", partitions-1, map[string]*string{"cleanup.policy": &compact})
		_ = l.start(nil).leaves("topic fewer has 2 partitions, its source has 3")
	})
}

func TestMissingSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.fold.Topic = "orers"
		if err := l.start(nil).leaves("orers", "create it"); !errors.Is(err, kafka.ErrNoTopic) {
			t.Errorf("it left with %v", err)
		}
	})
}

// TestMorePartitions: streams have moved, so that nothing of what they were is of
// use.
func TestMorePartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.pay(20)
		w := l.start(nil)
		l.caughtUp()
		if _, err := l.Kafka.Admin().UpdatePartitions(t.Context(), partitions+1, "orders"); err != nil {
			t.Fatal(err)
		}
		other := l.start(func(o *Options) { o.Assigner = nil }) // looks the topic up, and is assigned nothing
		_ = other.leaves("topic orders.snapshots has 3 partitions, its source has 4")

		k := w.keepers.All()[0]
		added := streams.Partition{Topic: "orders", Partition: partitions}
		k.assign(t.Context(), []streams.Partition{added})
		_ = w.stops(added.Partition, "topic orders has 4 partitions, before it had 3")
		k.revoke(context.Background(), []streams.Partition{added}, false)
		w.stop()
	})
}

// TestSourceMadeAnew: what the snapshots are of is gone. What was folded and not
// flushed when that shows is not flushed any more.
func TestSourceMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.pay(20)
		w := l.start(func(o *Options) { o.Config.FlushInterval = later })
		l.caughtUp()
		marks := l.watermarks()
		l.pay(20)
		time.Sleep(time.Second)
		l.remake()
		_ = w.stops(0, "orders")
		w.stop()
		w = l.start(nil)
		_ = w.stops(0, "orders.snapshots/0/", "topic orders was made anew", "raise the version")
		w.stop()
		if got := l.watermarks(); got != marks {
			t.Errorf("watermarks %v, then %v", marks, got)
		}
	})
}

// TestSourceThatLostItsEnd: the snapshots have events that are no longer there.
func TestSourceThatLostItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.pay(20)
		l.once()
		mark := snapshot.Watermark{Topic: "orders", Partitions: partitions, Next: 1000, Digest: l.fold.Digest}
		r, err := mark.Encode()
		if err != nil {
			t.Fatal(err)
		}
		l.Kafka.ProduceRecords(&streams.Record{Topic: l.fold.Snapshots, Key: r.Key, Value: r.Value})
		w := l.start(nil)
		_ = w.stops(0, "orders/0", "1000", fmt.Sprint(l.Kafka.LSO("orders")[0]))
		w.stop()
	})
}

// TestSnapshotsOfSomebodyElse: a snapshot that includes what is behind the last
// watermark was not written with it. The event would be folded twice.
func TestSnapshotsOfSomebodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.pay(20)
		l.once()
		for _, s := range l.snapshots()[0] {
			if s.Watermark == nil {
				s.Entry.Offset = 100
				r := snapshot.Encode(s.Stream, s.Entry)
				l.Kafka.ProduceRecords(&streams.Record{Topic: l.fold.Snapshots, Key: r.Key, Value: r.Value, Headers: r.Headers})
				break
			}
		}
		w := l.start(nil)
		_ = w.stops(0, "orders.snapshots/0", "includes offset 100 of orders/0")
		w.stop()
	})
}
