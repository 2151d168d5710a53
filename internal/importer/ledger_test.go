package importer

import (
	"testing"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
)

// Without the comparison with what the topic holds, a second run doubles.
func TestLedger(t *testing.T) {
	l := newLedger()
	l.note("a", 2)
	l.note("a", 1)
	for _, tt := range []struct {
		stream  streams.StreamID
		version int64
		want    verdict
	}{
		{"a", 1, present}, {"a", 2, present}, {"a", 3, due}, {"a", 4, gap},
		{"b", 1, due}, {"b", 2, gap},
	} {
		if got := l.judge(tt.stream, tt.version); got != tt.want {
			t.Errorf("version %d of %s: %v, want %v", tt.version, tt.stream, got, tt.want)
		}
	}
	l.hold("a")
	if l.judge("a", 2) != present || l.judge("a", 3) != held {
		t.Errorf("held: %v", l)
	}
	l.forget()
	if l.judge("a", 1) != held || l.judge("b", 1) != due {
		t.Errorf("after forgetting: %v", l)
	}
}

// A lost answer leaves the batch in the topic whole or not at all; anything else
// is not the topic that was written to.
func TestReconcile(t *testing.T) {
	events := []pending{{"a", 3}, {"b", 1}, {"a", 4}}
	for name, tt := range map[string]struct {
		topic     map[streams.StreamID]int64
		committed int
		ok        bool
	}{
		"committed":     {map[streams.StreamID]int64{"a": 4, "b": 1}, 3, true},
		"not committed": {map[streams.StreamID]int64{"a": 2}, 0, true},
		"cut":           {map[streams.StreamID]int64{"a": 1}, 0, false},
	} {
		l := newLedger()
		for s, v := range tt.topic {
			l.note(s, v)
		}
		b := batch{records: make([]kafka.OutRecord, len(events))}
		b.events = append(b.events, events...)
		committed, err := b.reconcile(l)
		if committed != tt.committed || (err == nil) != tt.ok {
			t.Errorf("%s: %d, %v", name, committed, err)
		}
		if tt.ok && (len(b.events)+committed != len(events) || l.versions["a"] != 4 || l.versions["b"] != 1) {
			t.Errorf("%s: %v, %v", name, b.events, l.versions)
		}
	}
}

// A name in the ledger that is a view keeps a whole fetch in memory: a gigabyte
// for half a million events.
func TestLedgerHoldsNoFetch(t *testing.T) {
	r := &run{workers: make([]*worker, 1)}
	w := newWorker(r, streams.Partition{Topic: topic}, 1)
	event := streams.Event{ID: "1", Type: "FineCreated", Source: "s", Stream: "fine-1", Time: "t", Sequence: streams.FormatSequence(3)}
	record := streams.Record{Key: []byte("fine-1"), Value: []byte{}, Headers: event.Headers()}
	if err := w.loadRecord(record); err != nil {
		t.Fatal(err)
	}
	clear(record.Key)
	if w.ledger.versions["fine-1"] != 3 {
		t.Errorf("ledger: %v", w.ledger.versions)
	}
}
