package rules

import (
	"errors"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/millrace/millrace/streams"
)

// checkedGone is the condition that ends a stream.
type checkedGone struct {
	scope *scope
	text  *exprCompiler
	holds fn[bool]
	reads []string // the fields of the state
}

// checkGone compiles the condition that ends a stream. It must not hold of a state
// that nothing was written to, so that only an event that writes what it reads may
// end a stream.
func (c *foldCompiler) checkGone() {
	n := c.fold.gone
	if n == nil {
		return
	}
	s := &scope{names: goneNames, state: c.state}
	text, holds := c.condition(s, n, "gone")
	if holds == nil {
		return
	}
	c.gone = &checkedGone{s, text, holds, stateFields(text.parsed)}
	if len(c.gone.reads) == 0 {
		c.add(placeOf(n), "gone reads no field of the state, so that it would end all streams or none")
		return
	}
	switch ends, err := c.ends(c.absent()); {
	case err != nil:
		c.add(placeOf(n), "gone has no value for a state that nothing was written to: %v", err)
	case ends:
		c.add(placeOf(n), "gone is true for a state that nothing was written to, so that any event would end its stream; write it so that it needs a value")
	}
}

// absent returns the state that nothing was written to.
func (c *foldCompiler) absent() []streams.Slot {
	var slots []streams.Slot
	for _, f := range c.state.fields {
		slots = append(slots, f.absent)
	}
	return slots
}

// ends evaluates gone.
func (c *foldCompiler) ends(state []streams.Slot) (bool, error) {
	e := &env{data: state, chosen: make([]bool, c.gone.scope.cells)}
	ends := c.gone.holds(e)
	return ends, errors.Unwrap(e.err)
}

// stateFields returns the fields of the state that an expression reads.
func stateFields(tree ast.Node) (fields []string) {
	if parts, ok := dotted(tree); ok && parts[0].name == "state" && len(parts) > 1 {
		return []string{parts[1].name}
	}
	for _, n := range children(tree) {
		for _, f := range stateFields(n) {
			if !slices.Contains(fields, f) {
				fields = append(fields, f)
			}
		}
	}
	return fields
}

// enders returns the event types that may end a stream, in the order of the file.
// A state that has not ended stays so where nothing is written that gone reads.
func (c *foldCompiler) enders() (types []string) {
	if c.gone == nil {
		return nil
	}
	for _, ev := range c.events {
		if slices.ContainsFunc(ev.rules, func(r *checkedRule) bool { return slices.ContainsFunc(r.changes, c.mayEnd) }) {
			types = append(types, ev.eventType)
		}
	}
	return types
}

// keeps says that there are rules for an event type, and that whatever stood in
// a state is still there behind such an event, and the stream has not ended.
func (c *foldCompiler) keeps(eventType string) bool {
	unsets := func(ch checkedChange) bool { return ch.op == OpUnset }
	takes := func(r *checkedRule) bool { return r.rule.remove || slices.ContainsFunc(r.changes, unsets) }
	return !slices.Contains(c.enders(), eventType) && slices.ContainsFunc(c.events, func(ev *checkedEvent) bool {
		return ev.eventType == eventType && !slices.ContainsFunc(ev.rules, takes)
	})
}

// mayEnd says whether a change may end a stream. Where gone reads one field, it is
// known of a value that stands in the rule.
func (c *foldCompiler) mayEnd(ch checkedChange) bool {
	if !slices.Contains(c.gone.reads, ch.field) {
		return false
	}
	if len(c.gone.reads) > 1 || ch.op != OpUnset && (ch.op != OpSet || ch.value.lit == nil) {
		return true
	}
	state, k := c.absent(), c.state.index(ch.field)
	f := &c.state.fields[k]
	linked := linkChange(ch, k, f.typ.Kind)
	f.apply(&env{}, &state[k], &linked.change, linked.at)
	ends, err := c.ends(state)
	return ends || err != nil
}
