package rules

import (
	"maps"
	"slices"

	"github.com/millrace/millrace/streams"
)

// program builds the program of a view without problems.
func (c *compiler) program() *Program {
	p := &Program{Events: map[string]*Event{}}
	index := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(c.fields)) {
		f := c.fields[name]
		index[name] = len(p.Fields)
		p.Fields = append(p.Fields, Field{
			Name: name, Family: f.uses[0].change.op.Family(), Type: streams.Type{Kind: f.kind}, Shared: f.shared,
		})
	}
	for _, ev := range c.events {
		p.Events[ev.eventType] = link(ev, p.Fields, index)
	}
	c.linkSnapshot(p, index)
	p.canonical = c.canonicalText(p.Fields)
	return p
}

// link builds the rules of one event type.
func link(ev *checkedEvent, fields []Field, index map[string]int) *Event {
	s := ev.scope
	e := &Event{Type: ev.eventType, Paths: s.paths, Needs: s.needs, state: s.state.size(), cells: s.cells}
	for _, r := range ev.rules {
		linked := linkedRule{when: r.when, key: r.key, remove: r.rule.remove}
		for _, ch := range r.changes {
			f := index[ch.field]
			linked.changes = append(linked.changes, linkChange(ch, f, fields[f].Type.Kind))
		}
		e.rules = append(e.rules, linked)
	}
	return e
}

// linkedChange is one op, ready to run.
type linkedChange struct {
	change Change             // as it is where put is nil
	null   fn[bool]           // then the field is unset; nil: never
	put    func(*env, *Value) // nil for a constant and an unset
	at     place              // of the value
}

func linkChange(ch checkedChange, field int, kind streams.Kind) linkedChange {
	l := linkedChange{change: Change{Field: field, Op: ch.op}, at: ch.value.at}
	if ch.op == OpUnset {
		return l
	}
	o := ch.value.as(kind, ch.op)
	l.null, l.put = o.null, o.putter()
	if o.lit != nil {
		l.put(nil, &l.change.Value)
		l.put = nil
	}
	return l
}

// putter writes the value of the operand.
func (o operand) putter() func(*env, *Value) {
	switch o.kind {
	case streams.KindInt:
		return func(e *env, v *Value) { v.Slot.Bits = o.ints(e) }
	case streams.KindFloat:
		return func(e *env, v *Value) { v.Slot.SetFloat(o.floats(e)) }
	case streams.KindBool:
		return func(e *env, v *Value) { v.Slot.SetBool(o.bools(e)) }
	case streams.KindTime:
		return func(e *env, v *Value) { v.Slot.SetTime(o.times(e)) }
	case streams.KindDecimal:
		return func(e *env, v *Value) { v.Decimal = o.decimals(e) }
	}
	return func(e *env, v *Value) { v.Slot.Str = o.texts(e) }
}
