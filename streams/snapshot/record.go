package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/state"
)

// The headers of a snapshot.
const (
	// HeaderOffset is the last source offset that the state includes, in decimal.
	HeaderOffset = "src-offset"
	// HeaderVersion is the stream version after that event, in decimal.
	HeaderVersion = "src-version"
	// HeaderGone is "true" where the stream has ended.
	HeaderGone = "gone"
)

// The keys of watermarks. No stream ID has a control character.
const (
	WatermarkKey = "\x00watermark"
	// BeginningKey is that of the first record of a partition, a watermark of 0.
	// Nothing replaces it, so it is there as long as nothing was deleted.
	BeginningKey = "\x00beginning"
)

// Watermark says that every event of a source partition before Next is in the
// snapshots before it.
type Watermark struct {
	Topic      string `json:"topic"`
	TopicID    string `json:"topic_id"` // empty in a cluster that has none
	Partition  int32  `json:"partition"`
	Partitions int32  `json:"partitions"` // of the topic
	Next       int64  `json:"next"`       // offset
	Digest     string `json:"digest"`     // of the fold
}

// Record is one record of a snapshot topic: a watermark, or what is known of a
// stream.
type Record struct {
	// Watermark is nil for a record of a stream.
	Watermark *Watermark
	// Stream is the ID of the stream.
	Stream []byte
	// Entry is its state.
	state.Entry
	// Forgotten says that nothing is known of the stream any more: a tombstone.
	Forgotten bool
	// Next is the position behind the record.
	Next int64
}

// Parse reads a record. Its bytes are those of r.
func Parse(r *streams.Record) (Record, error) {
	s := Record{Stream: r.Key, Next: r.Offset + 1}
	var err error
	switch {
	case string(r.Key) == WatermarkKey || string(r.Key) == BeginningKey:
		s.Stream = nil
		s.Watermark, err = parseWatermark(r.Value)
	case len(r.Key) == 0:
		err = errors.New("it has no key; that of a snapshot is its stream ID")
	case r.Key[0] < ' ':
		err = fmt.Errorf("its key %q is neither a stream ID nor that of a watermark; it is of something else, or of a newer version", r.Key)
	case r.Value == nil:
		s.Forgotten = true
	default:
		err = s.parse(r)
	}
	if err != nil {
		return s, r.Errorf("no snapshot: %w", err)
	}
	return s, nil
}

func parseWatermark(value []byte) (*Watermark, error) {
	w := new(Watermark)
	if err := json.Unmarshal(value, w); err != nil {
		return nil, fmt.Errorf("its watermark is not JSON: %w", err)
	}
	if w.Topic == "" || w.Next < 0 || w.Partitions < 1 || w.Partition < 0 || w.Digest == "" {
		return nil, fmt.Errorf("its watermark is not complete: %s", value)
	}
	return w, nil
}

func (s *Record) parse(r *streams.Record) (err error) {
	s.Offset, s.Version = -1, -1
	for i := range r.Headers {
		h := &r.Headers[i]
		switch h.Key {
		case HeaderOffset:
			s.Offset, err = number(h)
		case HeaderVersion:
			s.Version, err = number(h)
		case HeaderGone:
			if s.Gone = string(h.Value) == "true"; !s.Gone {
				err = fmt.Errorf("header %s is %q, not true", h.Key, h.Value)
			}
		}
		if err != nil {
			return err
		}
	}
	switch {
	case s.Offset < 0:
		return fmt.Errorf("header %s is missing", HeaderOffset)
	case s.Version < 0:
		return fmt.Errorf("header %s is missing; without it a stream that begins again would number its events from 1", HeaderVersion)
	case s.Gone != (len(r.Value) == 0):
		return fmt.Errorf("a snapshot has a state or the header %s, and this one has %d bytes", HeaderGone, len(r.Value))
	}
	s.Value = r.Value
	return nil
}

func number(h *streams.Header) (int64, error) {
	n, err := strconv.ParseUint(string(h.Value), 10, 63)
	if err != nil {
		return 0, fmt.Errorf("header %s is %q, not a number", h.Key, h.Value)
	}
	return int64(n), nil
}

var gone = []byte("true")

// Encode returns the record of a stream. The bytes of both are shared with it.
func Encode(stream []byte, e state.Entry) kafka.OutRecord {
	numbers := make([]byte, 0, 40)
	numbers = strconv.AppendInt(numbers, e.Offset, 10)
	at := len(numbers)
	numbers = strconv.AppendInt(numbers, e.Version, 10)
	headers := append(make([]streams.Header, 0, 3),
		streams.Header{Key: HeaderOffset, Value: numbers[:at:at]}, streams.Header{Key: HeaderVersion, Value: numbers[at:]})
	value := e.Value
	if e.Gone {
		headers, value = append(headers, streams.Header{Key: HeaderGone, Value: gone}), []byte{}
	}
	return kafka.OutRecord{Key: stream, Value: value, Headers: headers}
}

// Encode returns the record of the watermark: JSON.
func (w *Watermark) Encode() (kafka.OutRecord, error) {
	value, err := json.Marshal(w)
	if err != nil {
		return kafka.OutRecord{}, fmt.Errorf("writing a watermark: %w", err)
	}
	return kafka.OutRecord{
		Key: []byte(WatermarkKey), Value: value,
		Headers: []streams.Header{{Key: streams.HeaderContentType, Value: []byte(streams.ContentTypeJSON)}},
	}, nil
}

// Beginning returns the record that stands first in the partition.
func (w Watermark) Beginning() (kafka.OutRecord, error) {
	w.Next = 0
	r, err := w.Encode()
	r.Key = []byte(BeginningKey)
	return r, err
}
