package compaction

import (
	"fmt"
	"maps"
	"slices"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/state"
)

// order is the state of a stream as these tests fold it.
type order struct {
	version, payments, cents int64
	notes                    int // bytes
	gone                     bool
}

// model folds the events of one partition without any code of the compactor.
type model map[string]order

func (l *lab) apply(m model, r *streams.Record) {
	l.t.Helper()
	e, err := streams.ParseEvent(r)
	if err != nil {
		l.t.Fatal(err)
	}
	o := m[string(e.Stream)]
	if o.gone && e.Type != "Viewed" { // it begins again with any event that the fold names
		o = order{version: o.version}
	}
	o.version++
	slot := make([]streams.Slot, 1)
	switch e.Type {
	case "Paid":
		l.read("Paid", r.Value, slot, "amount")
		o.payments++
		o.cents += slot[0].Bits
	case "Noted":
		l.read("Noted", r.Value, slot, "note")
		o.notes = len(slot[0].Str)
	case "Closed":
		o = order{version: o.version, gone: true}
	}
	m[string(e.Stream)] = o
}

func (l *lab) read(recordType string, value []byte, slots []streams.Slot, paths ...string) {
	l.t.Helper()
	reader, err := l.codec.Reader(recordType, paths)
	if err == nil {
		err = reader.Read(value, slots)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// order is what an entry says.
func (l *lab) order(e state.Entry) order {
	l.t.Helper()
	o := order{version: e.Version, gone: e.Gone}
	if e.Gone {
		return o
	}
	slots := make([]streams.Slot, 3)
	l.read("Order", e.Value, slots, "payments", "paid", "note")
	o.payments, o.cents, o.notes = slots[0].Bits, slots[1].Bits, len(slots[2].Str)
	return o
}

// snapshots are the records of the snapshot topic, by partition.
func (l *lab) snapshots() (all [partitions][]*snapshot.Record) {
	l.t.Helper()
	if topics, err := l.admin.ListTopics(l.t.Context(), l.fold.Snapshots); err != nil || !topics.Has(l.fold.Snapshots) {
		return all
	}
	for _, r := range l.Kafka.Read(l.fold.Snapshots) {
		s, err := snapshot.Parse(r)
		if err != nil {
			l.t.Fatal(err)
		}
		all[r.Partition] = append(all[r.Partition], &s)
	}
	return all
}

// watermarks are the last ones of all partitions.
func (l *lab) watermarks() (next [partitions]int64) {
	l.t.Helper()
	for p, all := range l.snapshots() {
		for _, s := range all {
			if s.Watermark != nil {
				next[p] = s.Watermark.Next
			}
		}
	}
	return next
}

// right checks every watermark that was ever committed: it is behind the one
// before, and the snapshots before it are the fold of exactly the events before
// it. And what a reader loads is what the last one says.
func (l *lab) right() {
	l.t.Helper()
	for _, w := range l.wrong() {
		l.t.Error(w)
	}
}

// wrong says what is not right.
func (l *lab) wrong() (all []string) {
	l.t.Helper()
	snapshots := l.snapshots()
	for p, events := range l.events() {
		all = append(all, l.wrongMarks(p, events, snapshots[p])...)
	}
	return append(all, l.wrongLoad()...)
}

// events are the records of the event topic, by partition.
func (l *lab) events() (all [partitions][]*streams.Record) {
	l.t.Helper()
	for _, r := range l.Kafka.Read(l.topic) {
		all[r.Partition] = append(all[r.Partition], r)
	}
	return all
}

// wrongMarks says which watermarks of a partition are not right.
func (l *lab) wrongMarks(p int, events []*streams.Record, snapshots []*snapshot.Record) (all []string) {
	l.t.Helper()
	if len(snapshots) > 0 && (snapshots[0].Watermark == nil || snapshots[0].Watermark.Next != 0) {
		all = append(all, fmt.Sprintf("partition %d has no beginning", p))
	}
	want, got, last := model{}, model{}, int64(-1)
	for _, s := range snapshots {
		switch {
		case s.Forgotten:
			delete(got, string(s.Stream))
			continue
		case s.Watermark == nil:
			got[string(s.Stream)] = l.order(s.Entry)
			continue
		}
		next := s.Watermark.Next
		if next <= last {
			all = append(all, fmt.Sprintf("partition %d: watermark %d behind %d", p, next, last))
		}
		last = next
		for len(events) > 0 && events[0].Offset < next {
			l.apply(want, events[0])
			events = events[1:]
		}
		all = append(all, differences(fmt.Sprintf("partition %d, watermark %d", p, next), want, got)...)
	}
	return all
}

// wrongLoad says what a reader loads that is not the fold of the events before the
// last watermarks.
func (l *lab) wrongLoad() []string {
	l.t.Helper()
	entries, err := l.tryLoad()
	if err != nil {
		return []string{err.Error()}
	}
	want, got, marks := model{}, model{}, l.watermarks()
	for p, events := range l.events() {
		for _, r := range events {
			if r.Offset < marks[p] {
				l.apply(want, r)
			}
		}
	}
	for stream, e := range entries {
		got[stream] = l.order(e)
	}
	return differences("a reader", want, got)
}

// differences says what is another state than it should be.
func differences(what string, want, got model) (all []string) {
	for _, stream := range slices.Sorted(maps.Keys(want)) {
		if got[stream] != want[stream] {
			all = append(all, fmt.Sprintf("%s: %s is %+v, want %+v", what, stream, got[stream], want[stream]))
		}
	}
	if len(got) != len(want) {
		all = append(all, fmt.Sprintf("%s: %d streams, want %d", what, len(got), len(want)))
	}
	return all
}
