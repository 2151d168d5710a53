package kafka

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

// Rule 1: a topic that is deleted, or made anew, beside another one: the client
// alone would ask for it without a pause and never say so.
func TestTopicDeletedBesideAnotherStops(t *testing.T) {
	for _, anew := range []bool{false, true} {
		f := onTCP(t)
		f.topic("t", 1, nil)
		f.topic("u", 1, nil)
		f.deletedBeside(p0, streams.Partition{Topic: "u"}, func() {
			if err := f.cluster.DeleteTopic("u"); err != nil {
				t.Fatal(err)
			}
			if anew {
				f.topic("u", 1, nil)
				f.produce(streams.Partition{Topic: "u"}, 9)
			}
		})
	}
}

func TestTopicDeletedBesideAnotherOnRealKafka(t *testing.T) {
	for _, anew := range []bool{false, true} {
		f, spec := onRealKafka(t, 1)
		a := f.admin()
		defer a.Close()
		doomed := TopicSpec{Name: spec.Name + "-doomed", Partitions: 1}
		if err := a.CreateTopic(t.Context(), doomed); err != nil {
			t.Fatal(err)
		}
		gone := streams.Partition{Topic: doomed.Name}
		f.deletedBeside(streams.Partition{Topic: spec.Name}, gone, func() {
			if _, err := a.admin.DeleteTopics(t.Context(), doomed.Name); err != nil {
				t.Fatal(err)
			}
			for anew && a.CreateTopic(t.Context(), doomed) != nil { // until it is gone
				time.Sleep(20 * time.Millisecond)
			}
			if anew {
				f.produce(gone, 9)
			}
		})
		if anew {
			if _, err := a.admin.DeleteTopics(t.Context(), doomed.Name); err != nil {
				t.Error(err)
			}
		}
	}
}

// deletedBeside reads two partitions, does away with the topic of one, and
// expects that it stops and the other goes on.
func (f *fixture) deletedBeside(kept, gone streams.Partition, remove func()) {
	f.t.Helper()
	f.produce(kept, 5)
	f.produce(gone, 2)
	r, stop := f.reader(ReaderOptions{FetchWait: 100 * time.Millisecond})
	defer stop()
	feed, doomed := r.Open(kept, 0), r.Open(gone, 0)
	f.until(feed, stableEnd(5))
	f.until(doomed, stableEnd(2))
	remove()
	ended := make(chan *StopError, 1)
	go func() { ended <- stopped(f.t, doomed) }()
	select {
	case err := <-ended:
		checkStop(f.t, err, ErrTopicChanged, 2, "deleted or made anew")
	case <-time.After(30 * time.Second):
		f.t.Fatal("the partition of the deleted topic does not stop")
	}
	f.produce(kept, 1)
	f.until(feed, stableEnd(6))
}

// The topic is made anew while nobody reads it: the same position in it is
// another one. Another topic that is being read keeps the client as it is.
func TestTopicMadeAnewBetweenTwoFeedsStops(t *testing.T) {
	f := onTCP(t)
	f.topic("t", 1, nil)
	f.topic("u", 1, nil)
	u := streams.Partition{Topic: "u"}
	f.produce(u, 2)
	r, stop := f.reader(ReaderOptions{FetchWait: 100 * time.Millisecond})
	defer stop()
	kept, feed := r.Open(p0, 0), r.Open(u, 0)
	f.until(kept, stableEnd(0))
	f.until(feed, stableEnd(2))
	feed.Close()
	for range feed.Batches() {
	}
	if err := f.cluster.DeleteTopic("u"); err != nil {
		t.Fatal(err)
	}
	f.topic("u", 1, nil)
	f.produce(u, 9)
	checkStop(t, stopped(t, r.Open(u, 2)), ErrTopicChanged, 2, "deleted or made anew")
}

// Afterwards nothing is asked for without a pause.
func TestDeletedTopicIsNotAskedForAgain(t *testing.T) {
	f := onTCP(t)
	f.topic("t", 1, nil)
	f.topic("u", 1, nil)
	r, stop := f.reader(ReaderOptions{FetchWait: 100 * time.Millisecond})
	defer stop()
	feed, gone := r.Open(p0, 0), r.Open(streams.Partition{Topic: "u"}, 0)
	f.until(feed, stableEnd(0))
	f.until(gone, stableEnd(0))
	if err := f.cluster.DeleteTopic("u"); err != nil {
		t.Fatal(err)
	}
	checkStop(t, stopped(t, gone), ErrTopicChanged, 0)
	f.produce(p0, 1)
	f.until(feed, stableEnd(1))
	fetches := f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, TopLevel: true, Observe: true, Count: -1})
	defer fetches.Remove()
	looks := f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Observe: true, Count: -1})
	defer looks.Remove()
	if err := looks.Wait(t.Context(), 3); err != nil { // each after two fetch waits
		t.Fatal(err)
	}
	if n := fetches.Hits(); n > 50 {
		t.Errorf("%d fetches while nothing came", n)
	}
}
