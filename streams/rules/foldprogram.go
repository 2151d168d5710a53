package rules

import (
	"cmp"
	"fmt"

	"github.com/millrace/millrace/streams"
)

// FoldProgram is a compiled fold. It is safe for concurrent use.
type FoldProgram struct {
	// Fields are those of the state that the rules write, sorted: slot k of a state
	// is field k. The rules read no others.
	Fields []string
	// Events are the compiled rules by event type. A type that is not in it
	// changes nothing.
	Events map[string]*FoldEvent

	canonical string
}

// Canonical returns the fold as text, for its digest, as [Program.Canonical] does:
// all that can change a state.
func (p *FoldProgram) Canonical() string { return p.canonical }

// FoldEvent is the compiled rules of one event type. It is safe for concurrent use.
type FoldEvent struct {
	// Type, Paths and Needs are as those of an [Event].
	Type  string
	Paths []string
	Needs uint16

	event  *Event
	fields []stateField
	gone   fn[bool] // nil: no stream ends
}

// program builds the program of a fold without problems.
func (c *foldCompiler) program() *FoldProgram {
	p := &FoldProgram{Events: map[string]*FoldEvent{}, canonical: c.canonicalText()}
	var fields []Field
	index := map[string]int{}
	for k, f := range c.state.fields {
		index[f.name] = k
		p.Fields, fields = append(p.Fields, f.name), append(fields, Field{Name: f.name, Type: f.typ})
	}
	for _, ev := range c.events {
		e := link(ev, fields, index)
		linked := &FoldEvent{Type: e.Type, Paths: e.Paths, Needs: e.Needs, event: e, fields: c.state.fields}
		if c.gone != nil {
			linked.gone, e.cells = c.gone.holds, max(e.cells, c.gone.scope.cells)
		}
		p.Events[e.Type] = linked
	}
	return p
}

// FoldEvaluator applies events of one type to states. It is not safe for
// concurrent use: each goroutine has its own.
type FoldEvaluator struct {
	fold  *FoldEvent
	rules *Evaluator
}

// NewEvaluator returns an evaluator of the event type.
func (e *FoldEvent) NewEvaluator() *FoldEvaluator {
	return &FoldEvaluator{e, e.event.NewEvaluator()}
}

// Slots returns the slots that the caller fills before each Eval: those of the
// paths, and the Metas that the event needs.
func (v *FoldEvaluator) Slots() []streams.Slot { return v.rules.Slots() }

// Forget drops what the last event left, as [Evaluator.Forget] does, and the last
// state.
func (v *FoldEvaluator) Forget() { v.rules.Forget() }

// Eval applies the event in the slots to a state: one slot for each of
// [FoldProgram.Fields], null where the field is absent. All rules read the state as
// it was before the event; then all changes are made, in the order of the rules. It
// says whether the stream has ended, by the state that comes of it.
//
// The error is an [*EvalError]; the state is as it was then. Texts in the state are
// views into the event, the state before, or memory of the evaluator: what outlives
// the next Eval is copied.
func (v *FoldEvaluator) Eval(state []streams.Slot) (gone bool, err error) {
	env := &v.rules.env
	now := env.data[:len(v.fold.fields)]
	for k := range now {
		if now[k] = state[k]; now[k].Null {
			now[k] = v.fold.fields[k].absent
		}
	}
	steps, err := v.rules.Eval()
	if err != nil {
		return false, err
	}
	for i := range steps {
		v.apply(&steps[i], now)
	}
	if v.fold.gone != nil {
		gone = v.fold.gone(env)
	}
	if env.err != nil {
		return false, env.err
	}
	copy(state, now)
	return gone, nil
}

// apply makes the changes of one rule.
func (v *FoldEvaluator) apply(s *Step, state []streams.Slot) {
	if s.Delete {
		for k := range state {
			state[k] = v.fold.fields[k].absent
		}
	}
	for k := range s.Changes {
		ch := &s.Changes[k]
		at := v.rules.event.rules[s.rule].changes[k].at
		v.fold.fields[ch.Field].apply(&v.rules.env, &state[ch.Field], ch, at)
	}
}

// apply makes one change of the field.
func (f *stateField) apply(e *env, s *streams.Slot, ch *Change, at place) {
	switch {
	case ch.Op == OpUnset:
		*s = f.absent
	case f.typ.Kind == streams.KindDecimal:
		f.applyDecimal(e, s, ch, at)
	case ch.Op == OpAdd:
		sum, ok := addInt(s.Bits, ch.Value.Slot.Bits) // of null they are 0
		if !ok {
			e.fail(at, ErrOverflow)
		}
		s.SetInt(sum)
	case ch.Op == OpSet || s.Null || wins(ch.Op, f.compare(&ch.Value.Slot, s)):
		*s = ch.Value.Slot
	}
}

func (f *stateField) applyDecimal(e *env, s *streams.Slot, ch *Change, at place) {
	d := ch.Value.Decimal
	if ch.Op != OpSet && !s.Null {
		switch before := s.Decimal(f.typ.Scale); {
		case ch.Op == OpAdd:
			d = before.Add(d)
		case !wins(ch.Op, d.Cmp(before)):
			return
		}
	}
	if !s.SetDecimal(d, f.typ.Precision, f.typ.Scale) {
		e.fail(at, fmt.Errorf("%w: %s is decimal(%d, %d), the value is %v; write round(x, %[4]d), or give the field more digits",
			ErrFit, f.name, f.typ.Precision, f.typ.Scale, d))
	}
}

// wins says whether min or max takes a value that compares so with the one before.
func wins(op Op, c int) bool { return op == OpMin && c < 0 || op == OpMax && c > 0 }

// compare compares what is no decimal.
func (f *stateField) compare(a, b *streams.Slot) int {
	if f.typ.Kind == streams.KindFloat {
		return cmp.Compare(a.Float(), b.Float())
	}
	return cmp.Compare(a.Bits, b.Bits) // an int, or the nanoseconds of a time
}
