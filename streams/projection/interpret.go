package projection

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

// interpreter evaluates the rules of a view for the records of one partition.
// It is not safe for concurrent use.
type interpreter struct {
	partition  streams.Partition
	partitions int32 // of the topic; 0 where any partition will do
	topic      int   // the index of the topic among those of the view
	events     map[string]*interpreted
	ignored    map[string]*int64 // events by type that no rule names, since last asked
	others     *int64            // those of types that are too many to be named
	event      streams.Event
}

// interpreted is what it takes to evaluate one event type.
type interpreted struct {
	reader    streams.Reader
	evaluator *rules.Evaluator
	paths     int
	needs     uint16
}

func newInterpreter(v *View, p streams.Partition, partitions int32) (*interpreter, error) {
	in := &interpreter{
		partition: p, topic: slices.Index(v.Topics, p.Topic),
		events: map[string]*interpreted{}, others: new(int64),
	}
	in.ignored = map[string]*int64{otherIgnored: in.others}
	if v.checksPartition(p.Topic) {
		in.partitions = partitions
	}
	for name, e := range v.program.Events {
		reader, err := v.codec.Reader(name, e.Paths)
		if err != nil {
			return nil, fmt.Errorf("view %s: event type %s: %w", v.Name, name, err)
		}
		in.events[name] = &interpreted{reader, e.NewEvaluator(), len(e.Paths), e.Needs}
	}
	return in, nil
}

// apply evaluates all rules of a record's event and then merges what they do
// into the fold. An error leaves the fold as it was and names the record.
func (in *interpreter) apply(r *streams.Record, fold *Fold) error {
	var err error
	if in.event, err = streams.ParseEvent(r); err != nil {
		return err
	}
	if in.partitions > 0 {
		if want := streams.PartitionOf(r.Key, in.partitions); want != r.Partition {
			return r.Errorf("stream %s belongs in partition %d of %d by Kafka's default partitioner (murmur2); its producer uses another one: set partitioner=murmur2_random in librdkafka clients",
				in.event.Stream, want, in.partitions)
		}
	}
	e := in.events[in.event.Type]
	if e == nil {
		return in.ignore(r)
	}
	if err := in.merge(r, e, fold); err != nil {
		return r.Errorf("event %s of stream %s: %w", in.event.Type, in.event.Stream, err)
	}
	return nil
}

func (in *interpreter) merge(r *streams.Record, e *interpreted, fold *Fold) error {
	if err := in.event.CheckAvro(); err != nil {
		return err
	}
	slots := e.evaluator.Slots()
	if err := e.reader.Read(r.Value, slots[:e.paths]); err != nil {
		return err
	}
	src := Source{Topic: in.topic, Partition: r.Partition, Offset: r.Offset}
	if err := in.fill(slots[e.paths:], e.needs, r, &src); err != nil {
		return err
	}
	steps, err := e.evaluator.Eval()
	if err != nil {
		return err
	}
	return fold.Apply(src, steps)
}

// fill sets the slots of what the rules read of an event outside of its data.
func (in *interpreter) fill(slots []streams.Slot, needs uint16, r *streams.Record, src *Source) error {
	e := &in.event
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
				return err
			}
			s.SetInt(version)
		case rules.MetaTime:
			t, err := streams.ParseTime(e.Time)
			if err != nil {
				return fmt.Errorf("header %s: %w", streams.HeaderTime, err)
			}
			s.SetTime(t)
			src.Time = t
		case rules.MetaID:
			if err := setText(s, streams.HeaderID, e.ID); err != nil {
				return err
			}
		case rules.MetaCorrelation:
			if err := setText(s, streams.HeaderCorrelationID, e.Correlation); err != nil {
				return err
			}
		case rules.MetaCausation:
			if err := setText(s, streams.HeaderCausationID, e.Causation); err != nil {
				return err
			}
		case rules.MetaTopic:
			s.SetString(r.Topic)
		case rules.MetaPartition:
			s.SetInt(int64(r.Partition))
		case rules.MetaOffset:
			s.SetInt(r.Offset)
		}
	}
	return nil
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
	maxIgnored   = 100
	otherIgnored = "(other)"
)

// ignore counts an event of a type that no rule names.
func (in *interpreter) ignore(r *streams.Record) error {
	n := in.ignored[in.event.Type]
	switch {
	case n != nil:
	case !utf8.ValidString(in.event.Type):
		return r.Errorf("header %s is %q, which is not UTF-8", streams.HeaderType, in.event.Type)
	case len(in.ignored) < maxIgnored:
		n = new(int64)
		in.ignored[strings.Clone(in.event.Type)] = n // it is kept longer than the record
	default:
		n = in.others
	}
	*n++
	return nil
}

// forget drops what the last event of each type left, which would keep the whole
// fetch alive that it came with.
func (in *interpreter) forget() {
	in.event = streams.Event{}
	for _, e := range in.events {
		e.evaluator.Forget()
	}
}

// takeIgnored tells and forgets the counts of events that no rule names.
func (in *interpreter) takeIgnored(tell func(eventType string, events int64)) {
	for eventType, n := range in.ignored {
		if *n > 0 {
			tell(eventType, *n)
			*n = 0
		}
	}
}
