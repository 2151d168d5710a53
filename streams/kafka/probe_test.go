package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// Rule 2: offsets that compaction left are passed, although no record and no
// marker comes for them.
func TestTailProbeMovesOverHoles(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 4)
		f.atOffset(2, 4, emptyBatch(2, 3))
		r, stop := f.reader(ReaderOptions{MaxPartitionBytes: 1})
		defer stop()
		feed := r.Open(p0, 0)
		records, last := f.until(feed, stableEnd(4))
		if len(records) != 2 || last.Next != 4 || len(last.Records) != 0 {
			t.Errorf("%d records, last batch %+v", len(records), last)
		}
		f.produce(p0, 1)
		if records, _ = f.until(feed, stableEnd(5)); len(records) != 1 || records[0].Offset != 4 {
			t.Errorf("then %v", records)
		}
	})
}

// Rule 2: an aborted record before the stable end whose marker comes after it.
func TestTailProbeMovesOverAbortedRecords(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		abortedBelowOpen(t, f, p0)
	})
}

func abortedBelowOpen(t *testing.T, f *fixture, p streams.Partition) {
	f.produce(p, 1)
	first := f.transaction(p, 1)
	second := f.transaction(p, 1)
	first(kgo.TryAbort)
	r, stop := f.reader(ReaderOptions{})
	defer stop()
	feed := r.Open(p, 0)
	if records, last := f.until(feed, stableEnd(2)); len(records) != 1 || last.Next != 2 || last.Stable != 2 {
		t.Errorf("%d records, %+v", len(records), last)
	}
	second(kgo.TryCommit)
	if records, last := f.until(feed, stableEnd(5)); len(records) != 1 || last.Next != 5 {
		t.Errorf("after the commit %d records, %+v", len(records), last)
	}
}

// Rule 2: the probe must not move past a record that is still to be delivered.
func TestTailProbeStopsAtTheFirstRecord(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 3)
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		f.until(r.Open(p0, 0), stableEnd(3))
		for position := range int64(3) {
			if found, err := r.probe(t.Context(), p0, position); err != nil || found.next != position || !found.records {
				t.Errorf("probe at %d = %+v, %v", position, found, err)
			}
		}
		if found, err := r.probe(t.Context(), p0, 3); err != nil || found.next != 3 || found.records {
			t.Errorf("probe at the end = %+v, %v", found, err)
		}
	})
}
