package kafka

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A client that has forgotten a partition is told again.
func TestStuckFetchBeginsAnew(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 3)
		var log logLines
		r, stop := f.reader(ReaderOptions{Logger: log.logger()})
		defer stop()
		feed := r.Open(p0, 0)
		f.until(feed, stableEnd(3))
		r.client.RemoveConsumePartitions(map[string][]int32{"t": {0}})
		f.produce(p0, 2)
		if records, _ := f.until(feed, stableEnd(5)); len(records) != 2 {
			t.Errorf("%d records", len(records))
		}
		log.check(t, "WARN the Kafka client does not deliver records that are there: fetching begins anew")
	})
}

// What the watcher learned is old when records have come meanwhile.
func TestNewsOfAnOldPositionIsDropped(t *testing.T) {
	r, err := NewReader(Config{Brokers: []string{"127.0.0.1:1"}}, ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	feed := r.Open(p0, 5)
	r.news(feed, 3, Batch{Next: 9, Stable: 9})
	r.refetch(feed, 3)
	if len(feed.batches) != 0 || feed.position != 5 || len(r.adding) != 0 {
		t.Errorf("%d batches, position %d, adding %v", len(feed.batches), feed.position, r.adding)
	}
	r.news(feed, 5, Batch{Next: 9, Stable: 9})
	if len(feed.batches) != 1 || feed.position != 9 {
		t.Errorf("%d batches, position %d", len(feed.batches), feed.position)
	}
}

// A feed that is at the stable end sends nothing more and asks rarely.
func TestIdleFeedIsSilent(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 3)
		asked := f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Observe: true, Count: -1})
		defer asked.Remove()
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		feed := r.Open(p0, 0)
		f.until(feed, stableEnd(3))
		before := asked.Hits()
		time.Sleep(time.Minute)
		select {
		case b := <-feed.Batches():
			t.Errorf("batch %+v", b)
		default:
		}
		if n := asked.Hits() - before; n > 61 {
			t.Errorf("%d questions in a minute", n)
		}
	})
}

// Rule 11: a broker that is away is waited for: one line when it goes, one when
// it is back, and the feed goes on.
func TestBrokerAwayIsWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 1)
		gate := &gate{dial: f.config.Dialer}
		open := f.config.Dialer
		f.config.Dialer = gate.Dial
		var log logLines
		r, stop := f.reader(ReaderOptions{Topics: []string{"t"}, Logger: log.logger()})
		defer stop()
		feed := r.Open(p0, 0)
		f.until(feed, stableEnd(1))
		gate.shut(true)
		time.Sleep(time.Hour)
		gate.shut(false)
		time.Sleep(time.Minute)
		f.config.Dialer = open
		f.produce(p0, 1)
		if records, _ := f.until(feed, stableEnd(2)); len(records) != 1 {
			t.Errorf("%d records", len(records))
		}
		log.check(t, "WARN kafka does not answer the reader: waiting", "INFO kafka does not answer the reader: over")
	})
}

// A topic whose leader is away stops nothing either.
func TestLeaderAwayIsWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 1)
		fault := f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch, kmsg.ListOffsets}, Topic: "t", Err: kerr.LeaderNotAvailable, Count: -1})
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		feed := r.Open(p0, 0)
		time.Sleep(time.Minute)
		fault.Remove()
		f.until(feed, stableEnd(1))
	})
}
