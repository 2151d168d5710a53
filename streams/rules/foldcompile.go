package rules

import (
	"maps"
	"slices"

	"github.com/millrace/millrace/streams"
)

// foldCompiler checks one fold and builds its program.
type foldCompiler struct {
	checker
	fold  *Fold
	types func(recordType string) (streams.Type, error)
	state *state
	gone  *checkedGone // nil where no stream ends
}

// Compile checks the fold and compiles its rules, as [View.Compile] does; types
// returns the type of an event's data, or of the state. A fold of a kind has no
// program: only its state is checked.
func (f *Fold) Compile(types func(recordType string) (streams.Type, error)) (*FoldProgram, []streams.Problem) {
	c := f.check(types)
	switch {
	case len(c.all) > 0 || f.ofKind:
		return nil, c.sorted()
	case f.broken:
		return &FoldProgram{}, nil
	}
	return c.program(), nil
}

// check compiles the rules.
func (f *Fold) check(types func(recordType string) (streams.Type, error)) *foldCompiler {
	c := &foldCompiler{checker: checker{fns: functions()}, fold: f, types: types, state: &state{name: f.State}}
	c.readState()
	for _, ev := range f.events {
		c.event(ev)
	}
	c.checkGone()
	return c
}

// readState finds the fields of the state that the rules write.
func (c *foldCompiler) readState() {
	if c.fold.State == "" {
		return // Parse has said so
	}
	t, err := c.types(c.fold.State)
	if err != nil {
		c.add(c.fold.stateAt, "the state: %v", err)
		return
	}
	if c.state.typ = t; t.Kind != streams.KindRecord {
		c.add(c.fold.stateAt, "the state %s is %s, not a record", c.fold.State, t)
		return
	}
	written := c.fold.written()
	for _, name := range slices.Sorted(maps.Keys(written)) {
		if err := c.state.define(name); err != nil {
			c.add(written[name], "%v", err)
			c.state.unsure = append(c.state.unsure, name)
		}
	}
}

func (c *foldCompiler) event(ev eventRules) {
	checked := c.eventScope(ev, c.types, foldNames)
	if checked == nil {
		return
	}
	checked.scope.state = c.state
	for _, r := range ev.rules {
		rule := c.rule(checked, r)
		for _, f := range r.fields {
			change, ok := c.change(checked.scope, f)
			if k := c.state.index(f.field); ok && k >= 0 && c.fits(&c.state.fields[k], change) {
				rule.add(change)
			}
		}
		checked.rules = append(checked.rules, rule)
	}
}

// fits checks that a field of the state takes what an op writes.
func (c *foldCompiler) fits(f *stateField, ch checkedChange) bool {
	to, o := f.typ.Kind, ch.value
	switch {
	case ch.op == OpUnset:
		return true
	case ch.op == OpAdd && to == streams.KindFloat:
		c.add(ch.at, "field %s of %s is float, which takes no add: its sums would be rounded; make it a decimal", f.name, c.state.name)
		return false
	case ch.op == OpAdd && to == streams.KindDecimal && o.kind == streams.KindFloat:
		return true
	}
	if _, as, ok := common(operand{kind: to}, o); !ok || as.kind != to {
		c.add(o.at, "field %s of %s is %s, not %s%s", f.name, c.state.name, f.typ, o.typ(), converted(to, o.kind))
		return false
	}
	if to == streams.KindDecimal && o.number() && !new(streams.Slot).SetDecimal(o.lit.number, f.typ.Precision, f.typ.Scale) {
		c.add(o.at, "%v does not fit field %s of %s, which is %s", o.lit.number, f.name, c.state.name, f.typ)
		return false
	}
	return true
}

// converted says which function makes a value of one kind one of another.
func converted(to, from streams.Kind) string {
	text := from == streams.KindString
	switch {
	case to == streams.KindString && from != streams.KindBytes,
		(to == streams.KindInt || to == streams.KindDecimal) && (numeric(from) || text),
		to == streams.KindFloat && numeric(from),
		to == streams.KindTime && text:
		return "; write " + to.String() + "(x)"
	}
	return ""
}
