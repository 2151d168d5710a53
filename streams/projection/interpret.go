package projection

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/rules"
)

// interpreter evaluates the rules of a view for the records of one partition.
// It is not safe for concurrent use.
type interpreter struct {
	*follow.Events
	topic int // the index of the topic among those of the view
	types map[string]*interpreted
}

// interpreted is what it takes to evaluate one event type.
type interpreted struct {
	reader    streams.Reader
	evaluator *rules.Evaluator
	paths     int
	needs     uint16
}

func newInterpreter(v *View, p streams.Partition, partitions int32) (*interpreter, error) {
	if !v.checksPartition(p.Topic) {
		partitions = 0
	}
	in := &interpreter{follow.NewEvents(partitions), slices.Index(v.Topics, p.Topic), map[string]*interpreted{}}
	for name, e := range v.program.Events {
		reader, err := v.codec.Reader(name, e.Paths)
		if err != nil {
			return nil, fmt.Errorf("view %s: event type %s: %w", v.Name, name, err)
		}
		in.types[name] = &interpreted{reader, e.NewEvaluator(), len(e.Paths), e.Needs}
	}
	return in, nil
}

// apply evaluates all rules of a record's event and then merges what they do
// into the fold. An error leaves the fold as it was and names the record.
func (in *interpreter) apply(r *streams.Record, fold *Fold) error {
	if err := in.Parse(r); err != nil {
		return err
	}
	e := in.types[in.Event.Type]
	if e == nil {
		return in.Ignore(r)
	}
	if err := in.merge(r, e, fold); err != nil {
		return in.Error(r, err)
	}
	return nil
}

func (in *interpreter) merge(r *streams.Record, e *interpreted, fold *Fold) error {
	if err := in.Event.CheckAvro(); err != nil {
		return err
	}
	slots := e.evaluator.Slots()
	if err := e.reader.Read(r.Value, slots[:e.paths]); err != nil {
		return err
	}
	at, err := follow.Fill(slots[e.paths:], e.needs, &in.Event, r)
	if err != nil {
		return err
	}
	steps, err := e.evaluator.Eval()
	if err != nil {
		return err
	}
	return fold.Apply(Source{Time: at, Topic: in.topic, Partition: r.Partition, Offset: r.Offset}, steps)
}

// forget drops what the last event of each type left, which would keep the whole
// fetch alive that it came with.
func (in *interpreter) forget() {
	in.Event = streams.Event{}
	for _, e := range in.types {
		e.evaluator.Forget()
	}
}
