package snapshot

// Filter drops events that a snapshot includes although they are behind the
// watermark. It forgets a stream when the position has passed what was included.
// Not safe for concurrent use.
type Filter struct {
	// Dropped is how many events were dropped.
	Dropped int64

	watermark int64 // the highest that is known
	streams   map[string]int64
}

func newFilter() *Filter { return &Filter{watermark: None, streams: map[string]int64{}} }

// keep raises the watermark and forgets what it covers.
func (f *Filter) keep(watermark int64) {
	if watermark <= f.watermark {
		return
	}
	f.watermark = watermark
	for stream, offset := range f.streams {
		if offset < watermark {
			delete(f.streams, stream)
		}
	}
}

// note remembers what the last record of a stream includes, gone streams too: their
// last event would begin them again. What a forgotten one included stays dropped.
func (f *Filter) note(s *Record) {
	switch {
	case s.Watermark != nil:
		f.keep(s.Watermark.Next)
	case s.Forgotten:
	case s.Offset >= f.watermark:
		f.streams[string(s.Stream)] = s.Offset
	default:
		delete(f.streams, string(s.Stream)) // one before has included more
	}
}

// Includes says whether the event of a stream at a source offset is in its
// snapshot, and counts it if so: it must not be applied again. It is asked for
// every event behind the watermark, in order.
func (f *Filter) Includes(stream []byte, offset int64) bool {
	if len(f.streams) == 0 {
		return false
	}
	last, ok := f.streams[string(stream)]
	if !ok {
		return false
	}
	if offset >= last {
		delete(f.streams, string(stream))
	}
	if offset > last {
		return false
	}
	f.Dropped++
	return true
}

// Len is how many streams are remembered.
func (f *Filter) Len() int { return len(f.streams) }
