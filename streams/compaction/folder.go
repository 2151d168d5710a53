package compaction

import (
	"fmt"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/rules"
)

// ruleFolder folds by rules.
type ruleFolder struct {
	types  map[string]*foldedType
	state  []streams.Slot
	reader streams.Reader
	writer streams.Writer
	none   []byte // the state of a stream without events
	after  []byte
}

// foldedType is what it takes to fold one event type.
type foldedType struct {
	reader    streams.Reader
	evaluator *rules.FoldEvaluator
	paths     int
	needs     uint16
}

func newRuleFolder(program *rules.FoldProgram, state string, codec streams.Codec) (Folder, error) {
	f := &ruleFolder{types: map[string]*foldedType{}, state: make([]streams.Slot, len(program.Fields))}
	var err error
	if f.reader, err = codec.Reader(state, program.Fields); err != nil {
		return nil, fmt.Errorf("state %s: %w", state, err)
	}
	if f.writer, err = codec.Writer(state, program.Fields); err != nil {
		return nil, fmt.Errorf("state %s: %w", state, err)
	}
	for name, e := range program.Events {
		reader, err := codec.Reader(name, e.Paths)
		if err != nil {
			return nil, fmt.Errorf("event type %s: %w", name, err)
		}
		f.types[name] = &foldedType{reader, e.NewEvaluator(), len(e.Paths), e.Needs}
	}
	for i := range f.state {
		f.state[i].Null = true
	}
	f.none, err = f.writer.Write(nil, f.state)
	return f, err
}

// Begin returns the state that no rule has written to.
func (f *ruleFolder) Begin() ([]byte, error) { return f.none, nil }

// Fold applies the rules of the event's type.
func (f *ruleFolder) Fold(before []byte, e Event) (after []byte, gone bool, err error) {
	if len(before) == 0 {
		before = f.none
	}
	t := f.types[e.Type]
	if err := e.CheckAvro(); err != nil {
		return nil, false, err
	}
	slots := t.evaluator.Slots()
	if err := t.reader.Read(e.Record.Value, slots[:t.paths]); err != nil {
		return nil, false, err
	}
	if _, err := follow.Fill(slots[t.paths:], t.needs, e.Event, e.Record); err != nil {
		return nil, false, err
	}
	if err := f.reader.Read(before, f.state); err != nil {
		return nil, false, fmt.Errorf("reading its state: %w", err)
	}
	if gone, err = t.evaluator.Eval(f.state); err != nil {
		return nil, false, err
	}
	if f.after, err = f.writer.Write(f.after[:0], f.state); err != nil {
		return nil, false, fmt.Errorf("writing its state: %w", err)
	}
	return f.after, gone, nil
}
