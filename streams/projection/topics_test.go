package projection

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
)

// TestTopicMadeAnewIsRefusedAtTheNextAssignment: the definition was compared
// when the worker started, and the group assigns partitions later.
func TestTopicMadeAnewIsRefusedAtTheNextAssignment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		w := l.start(nil)
		l.untilApplied()
		before := l.rows(l.views[0])
		if err := l.Kafka.Server().DeleteTopic("orders"); err != nil {
			t.Fatal(err)
		}
		l.Kafka.CreateTopic("orders", partitions, nil)
		l.payAnew(90)
		for _, h := range w.hands {
			h.Rejoin()
		}
		var changed *TopicChangedError
		l.until("refused topic", func() bool { return errors.As(stopped(w, 0), &changed) })
		if after := l.rows(l.views[0]); len(after) != len(before) || after[streamOf(0)]["payments"] != before[streamOf(0)]["payments"] {
			t.Errorf("events of the new topic are in the rows: %v", after)
		}
		if why := strings.Join(w.NotReady(), "\n"); !strings.Contains(why, "made anew") {
			t.Errorf("not ready: %s", why)
		}
	})
}

// TestAddedPartitionsAreRefused: the streams in them have moved.
func TestAddedPartitionsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		turn := make(chan struct{})
		w := l.start(func(o *Options) {
			o.Assigner = func(string, []string) kafka.Assigner {
				return &turning{kafka.NewDirect(orders(0), orders(1), orders(2)), kafka.NewDirect(orders(0), orders(3)), turn}
			}
		})
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		if _, err := l.Kafka.Admin().UpdatePartitions(t.Context(), partitions+1, "orders"); err != nil {
			t.Fatal(err)
		}
		close(turn)
		var changed *TopicChangedError
		l.until("refused partition", func() bool { return errors.As(stopped(w, 3), &changed) })
		if !strings.Contains(changed.Error(), "4 partitions and had 3") {
			t.Errorf("refused by %v", changed)
		}
		time.Sleep(time.Minute)
		if n := strings.Count(l.logs.String(), "view is hot"); n != 1 {
			t.Errorf("%d lines say that the view is hot", n)
		}
	})
}

// payAnew writes payments by a client that does not know the former topic.
func (l *lab) payAnew(n int) {
	l.t.Helper()
	client := l.Kafka.Client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	for i := range n {
		r := l.Kafka.Record("orders", l.paid(i%20, "1.10", i%4))
		record := &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		if err := client.ProduceSync(l.t.Context(), record).FirstErr(); err != nil {
			l.t.Fatal(err)
		}
	}
}

// turning is an assigner whose partitions change once.
type turning struct {
	first, second kafka.Assigner
	turn          chan struct{}
}

func (a *turning) Run(ctx context.Context, l kafka.Listener) error {
	before, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-a.turn:
			cancel()
		case <-before.Done():
		}
	}()
	_ = a.first.Run(before, l)
	return a.second.Run(ctx, l)
}

func (a *turning) Reason() string { return a.second.Reason() }

func (a *turning) Rejoin() {}

func (a *turning) Commit(context.Context, map[streams.Partition]int64) error { return nil }

// TestManyPartitionsCostFewListings: what is asked of Kafka at an assignment does
// not grow with the square of the partitions.
func TestManyPartitionsCostFewListings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		// Fewer than a client of Redis has connections: who waits for one takes a
		// timer from a pool that all bubbles share, and one of another bubble is fatal.
		const many = redisPool - 4
		l.Kafka.CreateTopic("many", many, nil)
		l.views = l.compile(strings.Replace(oneView, "[orders]", "[many]", 1))
		asked := l.Kafka.Server().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, TopLevel: true, Observe: true, Count: -1})
		defer asked.Remove()
		var all []streams.Partition
		for p := range int32(many) {
			all = append(all, streams.Partition{Topic: "many", Partition: p})
		}
		w := l.start(func(o *Options) {
			o.Assigner = func(string, []string) kafka.Assigner { return kafka.NewDirect(all...) }
		})
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		if n := asked.Hits(); n > 40 {
			t.Errorf("%d questions about metadata", n)
		}
	})
}

// TestTopicDeletedWhileTheViewIsBuiltStopsOnlyItsPartitions: the events of the
// other one go on into the rows. In real time: until it learns of it, the client
// asks for the topic without a pause, and time in a bubble would stand still.
func TestTopicDeletedWhileTheViewIsBuiltStopsOnlyItsPartitions(t *testing.T) {
	l := newLab(t, oneView)
	l.Kafka.CreateTopic("refunds", partitions, nil)
	l.views = l.compile(strings.NewReplacer("[orders]", "[orders, refunds]", `set: {at: "=time"}`, "").Replace(oneView))
	w := l.start(nil, 0, 1) // nobody owns partition 2, so the view does not become hot
	l.payPartition(0, 10)
	l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == 10 })
	if err := l.Kafka.Server().DeleteTopic("refunds"); err != nil {
		t.Fatal(err)
	}
	refunds := func() (stopped int) {
		for _, p := range w.Progress() {
			if p.Partition.Topic == "refunds" && p.Err != nil {
				stopped++
			}
		}
		return stopped
	}
	l.until("stopped partitions", func() bool { return refunds() == 2 })
	time.Sleep(hotListing) // the next look at the LSOs finds no such topic
	l.payPartition(0, 10)
	l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == 20 })
}
