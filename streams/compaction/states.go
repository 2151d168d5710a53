package compaction

import (
	"fmt"

	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/state"
)

// states are the states of one partition, and which of them have changed since
// the watermark. Not safe for concurrent use.
type states struct {
	store      state.Store
	watermark  int64 // next source offset that is committed
	changed    []byte
	ends       []int // of each stream ID in changed
	bytes      int   // of what has changed, about
	live, gone int64
}

func newStates(store state.Store) *states { return &states{store: store} }

// load takes a record of the snapshot topic.
func (s *states) load(r *snapshot.Record) error {
	switch {
	case r.Watermark != nil:
		s.watermark = r.Watermark.Next
		return nil
	case r.Forgotten:
		before, known, err := s.store.Get(r.Stream)
		if err != nil || !known {
			return err
		}
		s.count(before, -1)
		return s.store.Delete(r.Stream)
	}
	return s.replace(r.Stream, r.Entry)
}

// replace stores the state of a stream.
func (s *states) replace(stream []byte, e state.Entry) error {
	before, known, err := s.store.Get(stream)
	if err != nil {
		return err
	}
	if known {
		s.count(before, -1)
	}
	s.count(e, 1)
	return s.store.Put(stream, e)
}

func (s *states) count(e state.Entry, by int64) {
	if e.Gone {
		s.gone += by
	} else {
		s.live += by
	}
}

// put stores the state of a stream after an event behind the watermark.
func (s *states) put(stream []byte, before state.Entry, known bool, e state.Entry) error {
	if !known || before.Offset < s.watermark {
		s.changed = append(s.changed, stream...)
		s.ends = append(s.ends, len(s.changed))
		s.bytes += len(stream) + len(e.Value)
	} else { // it has changed already
		s.bytes += len(e.Value) - len(before.Value)
	}
	if known {
		s.count(before, -1)
	}
	s.count(e, 1)
	return s.store.Put(stream, e)
}

// flush returns the records of what has changed. They share the memory of the
// states, which must not change before they are written.
func (s *states) flush() ([]kafka.OutRecord, error) {
	records := make([]kafka.OutRecord, 0, len(s.ends)+1)
	from := 0
	for _, to := range s.ends {
		stream := s.changed[from:to:to]
		e, known, err := s.store.Get(stream)
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, fmt.Errorf("the state of stream %s is gone from memory", stream)
		}
		records = append(records, snapshot.Encode(stream, e))
		from = to
	}
	return records, nil
}

// flushed says that everything before a source offset is committed.
func (s *states) flushed(watermark int64) {
	s.watermark = watermark
	s.changed, s.ends, s.bytes = s.changed[:0], s.ends[:0], 0
}
