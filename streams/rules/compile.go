package rules

import (
	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// Options are what a view is checked against.
type Options struct {
	// Types returns the type of an event's data, or of a state. Its error becomes
	// a problem at the event type's key, or at from.
	Types func(eventType string) (streams.Type, error)
	// AnyPartitioner says whether a topic may hold one stream in several
	// partitions (partitioner: any). Nil: none does.
	AnyPartitioner func(topic string) bool
	// Fold returns the fold that keeps snapshots of a topic, nil where there is
	// none. Nil: there are no folds.
	Fold func(topic string) *Fold
}

// checker compiles what rules of views and of folds have in common.
type checker struct {
	problems
	fns    []function
	events []*checkedEvent
}

// compiler checks one view and builds its program.
type compiler struct {
	checker
	view     *View
	opts     Options
	fields   map[string]*fieldUse
	shape    *keyShape // that of the first rule
	snapshot *checkedSnapshot
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

// add adds a change to the rule.
func (r *checkedRule) add(change checkedChange) {
	if change.op == OpUnset {
		r.changes = append([]checkedChange{change}, r.changes...)
	} else {
		r.changes = append(r.changes, change)
	}
	r.canonical.changes = append(r.canonical.changes, canonicalChange{change.op, change.field, change.text})
}

// checkedChange is one op with its compiled operand.
type checkedChange struct {
	fieldOp
	value operand       // nil of its kind for an unset
	text  *exprCompiler // that compiled it; nil for an unset
}

// Compile checks the view and compiles its rules. It returns all problems at
// once, in the order of the file, and no program where there are any. The program
// of a view that [Parse] found problems with is empty: only its problems count.
// A view is safe to compile several times.
func (v *View) Compile(o Options) (*Program, []streams.Problem) {
	c := &compiler{checker: checker{fns: functions()}, view: v, opts: o, fields: map[string]*fieldUse{}}
	for _, ev := range v.events {
		c.event(ev)
	}
	c.compileSnapshot()
	c.checkFields()
	c.checkOwners()
	c.checkSnapshot()
	switch {
	case len(c.all) > 0:
		return nil, c.sorted()
	case v.broken:
		return &Program{}, nil
	}
	return c.program(), nil
}

func (c *compiler) event(ev eventRules) {
	checked := c.eventScope(ev, c.opts.Types, eventNames)
	if checked == nil {
		return
	}
	for _, r := range ev.rules {
		checked.rules = append(checked.rules, c.rule(checked, r))
	}
}

// eventScope begins the rules of an event type; nil where it has problems.
func (c *checker) eventScope(ev eventRules, types func(string) (streams.Type, error), names *names) *checkedEvent {
	t, err := types(ev.eventType)
	if err != nil {
		c.add(ev.at, "%v", err)
		return nil
	}
	if t.Kind != streams.KindRecord {
		c.add(ev.at, "the data of %s is %s, not a record", ev.eventType, t)
		return nil
	}
	checked := &checkedEvent{eventType: ev.eventType, scope: &scope{names: names, event: ev.eventType, data: t}}
	c.events = append(c.events, checked)
	return checked
}

func (c *compiler) rule(ev *checkedEvent, r rule) *checkedRule {
	checked := c.checker.rule(ev, r)
	c.key(ev.scope, checked)
	for _, f := range r.fields {
		c.write(ev.scope, checked, f)
	}
	return checked
}

// rule compiles what a rule has beside its key and its changes.
func (c *checker) rule(ev *checkedEvent, r rule) *checkedRule {
	checked := &checkedRule{eventType: ev.eventType, rule: r}
	if r.when != nil {
		checked.canonical.when, checked.when = c.condition(ev.scope, r.when, "when")
	}
	checked.canonical.remove = r.remove
	return checked
}

// condition compiles a bool.
func (c *checker) condition(s *scope, n *yaml.Node, what string) (*exprCompiler, fn[bool]) {
	x, o, ok := c.value(s, n)
	switch {
	case !ok:
	case o.kind == streams.KindString && x.literal != nil:
		c.add(o.at, "%s must be a bool, not string; an expression begins with =", what)
	case x.isBool(o, what):
		return x, o.bools
	}
	return x, nil
}

// write compiles one op, and notes that the rule uses the field so.
func (c *compiler) write(s *scope, r *checkedRule, f fieldOp) {
	change, ok := c.change(s, f)
	if !ok {
		c.use(f.field).unsure = true
		return
	}
	r.add(change)
	c.use(f.field).add(r, change)
}

// change compiles one op; false where it has problems.
func (c *checker) change(s *scope, f fieldOp) (checkedChange, bool) {
	change := checkedChange{fieldOp: f, value: nilAt(f.at)}
	if f.value != nil {
		var ok bool
		if change.text, change.value, ok = c.value(s, f.value); !ok {
			return change, false
		}
		if change.value.isNil() && f.op == OpSet {
			change.op = OpUnset
		} else if !change.text.operandOf(f, change.value) {
			return change, false
		}
	}
	if f.op == OpLatest {
		s.needs |= 1 << MetaTime
	}
	return change, true
}

// value compiles a scalar: an expression or a literal.
func (c *checker) value(s *scope, n *yaml.Node) (*exprCompiler, operand, bool) {
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
