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
	goneTerm
	terms []goneTerm // which all hold where gone does
}

// goneTerm is a condition and the fields of the state that it reads.
type goneTerm struct {
	holds fn[bool]
	reads []string
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
	c.gone = &checkedGone{s, text, goneTerm{holds, stateFields(text.parsed)}, nil}
	if len(c.gone.reads) == 0 {
		c.add(placeOf(n), "gone reads no field of the state, so that it would end all streams or none")
		return
	}
	for _, n := range conjuncts(text.parsed) {
		o, _ := text.node(n) // once more
		c.gone.terms = append(c.gone.terms, goneTerm{o.bools, stateFields(n)})
	}
	switch ends, err := c.holds(c.gone.goneTerm, c.absent()); {
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

// conjuncts splits a condition at its ands.
func conjuncts(tree ast.Node) []ast.Node {
	if n, ok := tree.(*ast.BinaryNode); ok && plainOperator(n.Operator) == "and" {
		return append(conjuncts(n.Left), conjuncts(n.Right)...)
	}
	return []ast.Node{tree}
}

// holds evaluates gone, or one of its terms.
func (c *foldCompiler) holds(t goneTerm, state []streams.Slot) (bool, error) {
	e := &env{data: state, chosen: make([]bool, c.gone.scope.cells)}
	holds := t.holds(e)
	return holds, errors.Unwrap(e.err)
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

// mayEnd says whether a change may end a stream. It cannot where a value that stands
// in the rule makes one of the terms false.
func (c *foldCompiler) mayEnd(ch checkedChange) bool {
	if !slices.Contains(c.gone.reads, ch.field) {
		return false
	}
	if ch.op != OpUnset && (ch.op != OpSet || ch.value.lit == nil) {
		return true
	}
	state, k := c.absent(), c.state.index(ch.field)
	f := &c.state.fields[k]
	linked := linkChange(ch, k, f.typ.Kind)
	f.apply(&env{}, &state[k], &linked.change, linked.at)
	return !slices.ContainsFunc(c.gone.terms, func(t goneTerm) bool {
		holds, err := c.holds(t, state)
		return slices.Equal(t.reads, []string{ch.field}) && !holds && err == nil
	})
}
