package follow

import (
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

// Events reads the events of one partition, up to their data. Not safe for
// concurrent use.
type Events struct {
	// Event is that of the record that was parsed last.
	Event streams.Event

	partitions int32             // of the topic; 0 where any partition will do
	ignored    map[string]*int64 // events by type that no rule names, since last asked
	others     *int64            // those of types that are too many to be named
}

// NewEvents reads the events of a partition of a topic that has so many, each of
// them in the partition that Kafka's default partitioner gives its stream. 0
// partitions means that the producers have another one: none is compared.
func NewEvents(partitions int32) *Events {
	others := new(int64)
	return &Events{partitions: partitions, others: others, ignored: map[string]*int64{OtherIgnored: others}}
}

// Parse reads the headers of a record into Event.
func (e *Events) Parse(r *streams.Record) (err error) {
	if e.Event, err = streams.ParseEvent(r); err != nil || e.partitions == 0 {
		return err
	}
	if want := streams.PartitionOf(r.Key, e.partitions); want != r.Partition {
		return r.Errorf("stream %s belongs in partition %d of %d by Kafka's default partitioner (murmur2); its producer uses another one: set partitioner=murmur2_random in librdkafka clients",
			e.Event.Stream, want, e.partitions)
	}
	return nil
}

// Error is the error of an event, whose record it is.
func (e *Events) Error(r *streams.Record, err error) error {
	return r.Errorf("event %s of stream %s: %w", e.Event.Type, e.Event.Stream, err)
}

// Fill sets the slots of what rules read of an event outside of its data. It
// returns the event's time where they need it.
func Fill(slots []streams.Slot, needs uint16, e *streams.Event, r *streams.Record) (at streams.Time, err error) {
	for left := needs; left != 0; left &= left - 1 {
		m := rules.Meta(bits.TrailingZeros16(left))
		s := &slots[m]
		switch m {
		case rules.MetaStream:
			s.SetString(string(e.Stream))
		case rules.MetaType:
			s.SetString(e.Type)
		case rules.MetaVersion:
			version, err := e.Version()
			if err != nil {
				return at, err
			}
			s.SetInt(version)
		case rules.MetaTime:
			at, err = streams.ParseTime(e.Time)
			if err != nil {
				return at, fmt.Errorf("header %s: %w", streams.HeaderTime, err)
			}
			s.SetTime(at)
		case rules.MetaID:
			if err := setText(s, streams.HeaderID, e.ID); err != nil {
				return at, err
			}
		case rules.MetaCorrelation:
			if err := setText(s, streams.HeaderCorrelationID, e.Correlation); err != nil {
				return at, err
			}
		case rules.MetaCausation:
			if err := setText(s, streams.HeaderCausationID, e.Causation); err != nil {
				return at, err
			}
		case rules.MetaTopic:
			s.SetString(r.Topic)
		case rules.MetaPartition:
			s.SetInt(int64(r.Partition))
		case rules.MetaOffset:
			s.SetInt(r.Offset)
		}
	}
	return at, nil
}

// setText sets the slot to the text of a header. Functions of texts would write
// another one of what is not UTF-8.
func setText(s *streams.Slot, header, text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("header %s is not UTF-8: %q", header, text)
	}
	s.SetString(text)
	return nil
}

// The types that are counted by name: what any producer may write must not fill
// the memory.
const (
	MaxIgnored   = 100
	OtherIgnored = "(other)"
)

// Ignore counts an event of a type that no rule names.
func (e *Events) Ignore(r *streams.Record) error {
	n := e.ignored[e.Event.Type]
	switch {
	case n != nil:
	case !utf8.ValidString(e.Event.Type):
		return r.Errorf("header %s is %q, which is not UTF-8", streams.HeaderType, e.Event.Type)
	case len(e.ignored) < MaxIgnored:
		n = new(int64)
		e.ignored[strings.Clone(e.Event.Type)] = n // it is kept longer than the record
	default:
		n = e.others
	}
	*n++
	return nil
}

// TakeIgnored tells and forgets the counts of events that no rule names.
func (e *Events) TakeIgnored(tell func(eventType string, events int64)) {
	for eventType, n := range e.ignored {
		if *n > 0 {
			tell(eventType, *n)
			*n = 0
		}
	}
}
