package rules

import (
	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// Options are what a view is checked against.
type Options struct {
	// Types returns the type of an event's data. Its error becomes a problem at
	// the event type's key.
	Types func(eventType string) (streams.Type, error)
	// AnyPartitioner says whether a topic may hold one stream in several
	// partitions (partitioner: any). Nil: none does.
	AnyPartitioner func(topic string) bool
}

// compiler checks one view and builds its program.
type compiler struct {
	problems
	view   *View
	opts   Options
	fns    []function
	events []*checkedEvent
	fields map[string]*fieldUse
	shape  *keyShape // that of the first rule
}

// checkedEvent is an event type whose rules have been checked.
type checkedEvent struct {
	eventType string
	scope     *scope
	rules     []*checkedRule
}

// checkedRule is a rule whose expressions have been compiled.
type checkedRule struct {
	eventType string
	rule      rule
	when      fn[bool] // nil: always
	key       rowKey
	changes   []checkedChange // unsets first, else as written
	canonical canonicalRule
}

// checkedChange is one op with its compiled operand.
type checkedChange struct {
	fieldOp
	value operand // nil of its kind for an unset
}

// Compile checks the view and compiles its rules. It returns all problems at
// once, in the order of the file, and no program where there are any. The program
// of a view that [Parse] found problems with is empty: only its problems count.
// A view is safe to compile several times.
func (v *View) Compile(o Options) (*Program, []streams.Problem) {
	c := &compiler{view: v, opts: o, fns: functions(), fields: map[string]*fieldUse{}}
	for _, ev := range v.events {
		c.event(ev)
	}
	c.checkFields()
	c.checkOwners()
	switch {
	case len(c.all) > 0:
		return nil, c.sorted()
	case v.broken:
		return &Program{}, nil
	}
	return c.program(), nil
}

func (c *compiler) event(ev eventRules) {
	t, err := c.opts.Types(ev.eventType)
	if err != nil {
		c.add(ev.at, "%v", err)
		return
	}
	if t.Kind != streams.KindRecord {
		c.add(ev.at, "the data of %s is %s, not a record", ev.eventType, t)
		return
	}
	checked := &checkedEvent{eventType: ev.eventType, scope: &scope{event: ev.eventType, data: t}}
	for _, r := range ev.rules {
		checked.rules = append(checked.rules, c.rule(checked, r))
	}
	c.events = append(c.events, checked)
}

func (c *compiler) rule(ev *checkedEvent, r rule) *checkedRule {
	checked := &checkedRule{eventType: ev.eventType, rule: r}
	if r.when != nil {
		checked.when = c.when(ev.scope, r.when, &checked.canonical)
	}
	c.key(ev.scope, checked)
	checked.canonical.remove = r.remove
	for _, f := range r.fields {
		c.change(ev.scope, checked, f)
	}
	return checked
}

func (c *compiler) when(s *scope, n *yaml.Node, text *canonicalRule) fn[bool] {
	x, o, ok := c.value(s, n)
	text.when = x
	switch {
	case !ok:
	case o.kind == streams.KindString && x.literal != nil:
		c.add(o.at, "when must be a bool, not string; an expression begins with =")
	case x.isBool(o, "when"):
		return o.bools
	}
	return nil
}

// change compiles one op, and notes that the rule uses the field so.
func (c *compiler) change(s *scope, r *checkedRule, f fieldOp) {
	change := checkedChange{fieldOp: f, value: nilAt(f.at)}
	var x *exprCompiler
	if f.value != nil {
		var ok bool
		if x, change.value, ok = c.value(s, f.value); !ok {
			c.use(f.field).unsure = true
			return
		}
		if change.value.isNil() && f.op == OpSet {
			change.op = OpUnset
		} else if !x.operandOf(f, change.value) {
			c.use(f.field).unsure = true
			return
		}
	}
	if f.op == OpLatest {
		s.needs |= 1 << MetaTime
	}
	if change.op == OpUnset {
		r.changes = append([]checkedChange{change}, r.changes...)
	} else {
		r.changes = append(r.changes, change)
	}
	r.canonical.changes = append(r.canonical.changes, canonicalChange{change.op, f.field, x})
	c.use(f.field).add(r, change)
}

// value compiles a scalar: an expression or a literal.
func (c *compiler) value(s *scope, n *yaml.Node) (*exprCompiler, operand, bool) {
	src, isExpression := expression(n)
	x := &exprCompiler{problems: &c.problems, scope: s, fns: c.fns, src: source{node: n}}
	if !isExpression {
		o, err := literalOf(n)
		if err != nil {
			c.add(placeOf(n), "%v", err)
		}
		x.literal = &o
		return x, o, err == nil
	}
	x.src = src
	o, ok := x.expression()
	if ok {
		o.at = placeOf(n) // what is wrong with the result is wrong with all of it
	}
	return x, o, ok
}

// operandOf checks that an op takes the operand.
func (c *exprCompiler) operandOf(f fieldOp, o operand) bool {
	switch {
	case f.op == OpAdd && !numeric(o.kind) && !o.isNil():
		c.add(o.at, "add takes a number, not %s", o.typ())
	case (f.op == OpMin || f.op == OpMax) && !numeric(o.kind) && o.kind != streams.KindTime && !o.isNil():
		c.add(o.at, "%s takes a number or a time, not %s", f.op, o.typ())
	case f.op != OpSet && o.isNil():
		c.add(o.at, "the operand of %s is nil", f.op)
	case f.op != OpSet && o.null != nil:
		c.add(o.at, "the operand of %s can be null; write %s ?? %s", f.op, o.called(), exampleOf(o.kind))
	default:
		return true
	}
	return false
}
