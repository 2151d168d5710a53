package compaction

import (
	"fmt"
	"maps"
	"slices"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
)

// Typed is a fold in Go of a state that is a struct, with a function for each
// event type that it folds: see [NewTyped] and [On].
type Typed[S any] struct {
	digest string
	events map[string]func(*avro.Codec) (typedFold[S], error)
}

// typedFold folds the events of one type.
type typedFold[S any] func(before S, e Event) (after S, gone bool, err error)

// NewTyped returns a fold of nothing yet. S has a field for each of the state's
// schema, as [avro.NewRecord] wants it; a stream begins with its zero value. The
// digest is that of [Kind]: another one also where a field is added to the schema
// with a default that is not its zero value, which former states are read with.
func NewTyped[S any](digest string) *Typed[S] {
	return &Typed[S]{digest, map[string]func(*avro.Codec) (typedFold[S], error){}}
}

// On adds the function that folds events of a type, whose data is a D, as
// [avro.NewRecord] wants it. It is pure: it returns the state after the event and
// whether the stream has ended with it, or an error, which stops the partition at
// the event. A second one of a type panics.
func On[S, D any](t *Typed[S], eventType string, fold func(before S, data D, e Event) (after S, gone bool, err error)) {
	if t.events[eventType] != nil {
		panic(fmt.Sprintf("compaction: events of type %s are folded twice", eventType))
	}
	t.events[eventType] = func(codec *avro.Codec) (typedFold[S], error) {
		records, err := avro.NewRecord[D](codec, eventType)
		if err != nil {
			return nil, err
		}
		return func(before S, e Event) (after S, gone bool, err error) {
			if err := e.CheckAvro(); err != nil {
				return before, false, err
			}
			data, err := records.Decode(e.Record.Value)
			if err != nil {
				return before, false, err
			}
			return fold(before, data, e)
		}, nil
	}
}

// Kind returns the fold as one that a configuration can name.
func (t *Typed[S]) Kind() Kind {
	// not nil where it folds nothing: that would be all
	return Kind{Digest: t.digest, Events: slices.AppendSeq([]string{}, maps.Keys(t.events)), New: t.folder}
}

func (t *Typed[S]) folder(codec streams.Codec, state string) (Folder, error) {
	c, ok := codec.(*avro.Codec)
	if !ok {
		return nil, fmt.Errorf("a fold of structs reads Avro, and this is a %T", codec)
	}
	f := &typedFolder[S]{folds: map[string]typedFold[S]{}}
	var err error
	if f.states, err = avro.NewRecord[S](c, state); err != nil {
		return nil, err
	}
	for eventType, of := range t.events {
		if f.folds[eventType], err = of(c); err != nil {
			return nil, err
		}
	}
	return f, nil
}

type typedFolder[S any] struct {
	states *avro.Record[S]
	folds  map[string]typedFold[S]
	after  []byte
}

// Begin returns the zero value.
func (f *typedFolder[S]) Begin() (state []byte, err error) {
	var s S
	if f.after, err = f.states.Encode(f.after[:0], s); err != nil {
		return nil, fmt.Errorf("a stream begins with the zero value: %w; fold events of this type, too, or give the schema a field that holds it", err)
	}
	return f.after, nil
}

// Fold applies the function of the event's type.
func (f *typedFolder[S]) Fold(before []byte, e Event) (after []byte, gone bool, err error) {
	var s S
	if len(before) > 0 {
		if s, err = f.states.Decode(before); err != nil {
			return nil, false, fmt.Errorf("reading its state: %w", err)
		}
	}
	if s, gone, err = f.folds[e.Type](s, e); err != nil || gone {
		return nil, gone, err
	}
	if f.after, err = f.states.Encode(f.after[:0], s); err != nil {
		return nil, false, fmt.Errorf("writing its state: %w", err)
	}
	return f.after, false, nil
}
