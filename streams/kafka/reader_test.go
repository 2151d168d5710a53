package kafka

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

func TestReaderDeliversFromExactlyThePosition(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 2, nil)
		f.produce(p0, 10)
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		feed := r.Open(p0, 4)
		records, last := f.until(feed, stableEnd(10))
		if len(records) != 6 || records[0].Offset != 4 || string(records[0].Value) != "4" || last.Next != 10 {
			t.Errorf("got %d records, last batch %d to %d", len(records), last.First, last.Next)
		}
		if h := records[0].Headers; len(h) != 1 || h[0].Key != "h" || string(h[0].Value) != "v" {
			t.Errorf("headers %v", h)
		}
		f.produce(p0, 1)
		records, last = f.until(feed, stableEnd(11))
		if len(records) != 1 || last.First != 10 || last.Stable != 11 {
			t.Errorf("then %d records, %+v", len(records), last)
		}
	})
}

func TestReaderTellsTheStableEndOfAnEmptyPartition(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		records, last := f.until(r.Open(p0, 0), stableEnd(0))
		if len(records) != 0 || last.Next != 0 || last.Stable != 0 {
			t.Errorf("%d records, %+v", len(records), last)
		}
	})
}

// Rule 1: an open transaction is invisible and does not hold up the stable end.
func TestReaderIsReadCommitted(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 3)
		end := f.transaction(p0, 2)
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		feed := r.Open(p0, 0)
		records, last := f.until(feed, stableEnd(3))
		if len(records) != 3 || last.Stable != 3 {
			t.Errorf("before the commit %d records, %+v", len(records), last)
		}
		end(kgo.TryCommit)
		records, last = f.until(feed, stableEnd(6)) // with the marker
		if len(records) != 2 || last.Next != 6 {
			t.Errorf("after the commit %d records, %+v", len(records), last)
		}
	})
}

// Rule 2: control records move the position.
func TestReaderMovesPastAbortedTransactions(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 3)
		f.transaction(p0, 2)(kgo.TryAbort)
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		began := time.Now()
		records, last := f.until(r.Open(p0, 0), stableEnd(6))
		if d := time.Since(began); d > 500*time.Millisecond {
			t.Errorf("it took %v: the marker itself must move the position", d)
		}
		if len(records) != 3 || last.Next != 6 {
			t.Errorf("%d records, %+v", len(records), last)
		}
	})
}

func TestFeedClosesAndOpensAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 5)
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		for _, position := range []int64{2, 0, 4, 5} {
			feed := r.Open(p0, position)
			records, _ := f.until(feed, stableEnd(5))
			if len(records) != int(5-position) {
				t.Errorf("from %d: %d records", position, len(records))
			}
			feed.Close()
			feed.Close()
			for range feed.Batches() {
			}
			if err := feed.Err(); err != nil {
				t.Errorf("after Close: %v", err)
			}
		}
	})
}

func TestReaderRefusesAPartitionThatIsOpen(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		first := r.Open(p0, 0)
		second := r.Open(p0, 0)
		<-second.Batches()
		if err := second.Err(); err == nil {
			t.Error("no error")
		}
		f.until(first, stableEnd(0))
	})
}

func TestFeedsEndWithTheReader(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		r, stop := f.reader(ReaderOptions{})
		before := r.Open(p0, 0)
		stop()
		after := r.Open(p0, 0)
		for _, feed := range []*Feed{before, after} {
			for range feed.Batches() {
			}
			if err := feed.Err(); !errors.Is(err, ErrReaderStopped) {
				t.Errorf("Err = %v", err)
			}
			feed.Close()
		}
	})
}

// A feed that nobody takes from holds up neither the other feeds for good nor
// the end of any.
func TestFullFeedBlocksNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 2, nil)
		p1 := streams.Partition{Topic: "t", Partition: 1}
		f.produce(p0, 50)
		f.produce(p1, 50)
		r, stop := f.reader(ReaderOptions{MaxPartitionBytes: 1})
		defer stop()
		full, other := r.Open(p0, 0), r.Open(p1, 0)
		if records, _ := f.until(other, stableEnd(50)); len(records) != 50 {
			t.Errorf("beside a full feed: %d records", len(records))
		}
		other.Close()
		for range other.Batches() {
		}
		if records, _ := f.until(full, stableEnd(50)); len(records) != 50 {
			t.Errorf("the full feed, when it is taken from: %d records", len(records))
		}
	})
}

func TestFullFeedCloses(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 50)
		r, stop := f.reader(ReaderOptions{MaxPartitionBytes: 1})
		defer stop()
		for _, wait := range []time.Duration{0, time.Millisecond, time.Minute} {
			full := r.Open(p0, 0)
			time.Sleep(wait)
			full.Close()
			for range full.Batches() {
			}
		}
		if records, _ := f.until(r.Open(p0, 0), stableEnd(50)); len(records) != 50 {
			t.Errorf("%d records", len(records))
		}
	})
}

func TestReaderEndsWithFullFeeds(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 50)
		for _, wait := range []time.Duration{time.Millisecond, time.Minute} {
			r, stop := f.reader(ReaderOptions{MaxPartitionBytes: 1})
			full := r.Open(p0, 0)
			time.Sleep(wait)
			stop()
			for range full.Batches() {
			}
			if err := full.Err(); !errors.Is(err, ErrReaderStopped) {
				t.Errorf("Err = %v", err)
			}
		}
	})
}
