package rules

import (
	"go.yaml.in/yaml/v4"
)

// on reads the rules of event types.
func (p *parser) on(n *yaml.Node) []eventRules {
	entries := p.entries(n, "on")
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		p.add(placeOf(n), "on is empty; name at least one event type")
	}
	var events []eventRules
	for _, e := range entries {
		ev := eventRules{eventType: e.name(), at: placeOf(e.key)}
		if e.value.Kind != yaml.SequenceNode {
			ev.rules = p.rule(ev.rules, e.value)
		} else {
			list := p.list(e.value, "the rules of "+e.name())
			if len(e.value.Content) == 0 {
				p.add(placeOf(e.value), "%s has no rules", e.name())
			}
			for _, r := range list {
				ev.rules = p.rule(ev.rules, r)
			}
		}
		events = append(events, ev)
	}
	return events
}

// rule appends the rule that n holds.
func (p *parser) rule(list []rule, n *yaml.Node) []rule {
	if n.Kind != yaml.MappingNode {
		p.add(placeOf(n), "%s must be a mapping of ops, such as set: {status: paid}, not %s", p.form.name, kindOf(n))
		return list
	}
	before := len(p.all)
	r := rule{at: placeOf(n)}
	for _, e := range p.entries(n, p.form.name) {
		p.ruleEntry(&r, e)
	}
	if !r.remove && len(r.fields) == 0 && len(p.all) == before {
		p.add(r.at, "the rule changes nothing; give it %s", p.form.ops)
	}
	p.once(&r)
	return append(list, r)
}

func (p *parser) ruleEntry(r *rule, e entry) {
	if why := p.form.refused[e.name()]; why != "" {
		p.add(placeOf(e.key), "%s", why)
		return
	}
	switch e.name() {
	case "when":
		if p.scalar(e.value, "when") {
			r.when = e.value
		}
	case "key":
		if p.scalar(e.value, "key") {
			r.key = e.value
		}
	case "unset":
		p.unset(r, e.value)
	case "delete":
		r.removes = placeOf(e.key)
		if r.remove = e.value.Value == "true"; !r.remove {
			p.add(placeOf(e.value), "delete must be true; write the condition as when, or leave delete out")
		}
	case "set", "add", "min", "max", "latest":
		p.ops(r, opOf(e.name()), e)
	default:
		p.unknown(e.key, p.form.name, p.form.keys, nil)
	}
}

func (p *parser) ops(r *rule, op Op, e entry) {
	entries := p.entries(e.value, e.name())
	if e.value.Kind == yaml.MappingNode && len(e.value.Content) == 0 {
		p.add(placeOf(e.value), "%s is empty; name at least one field", op)
	}
	for _, f := range entries {
		if p.fieldName(f.key) && p.scalar(f.value, f.name()) {
			r.fields = append(r.fields, fieldOp{op, f.name(), placeOf(f.key), f.value})
		}
	}
}

// unset reads one field name or a list of them.
func (p *parser) unset(r *rule, n *yaml.Node) {
	names := []*yaml.Node{n}
	if n.Kind != yaml.ScalarNode {
		names = p.list(n, "unset")
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			p.add(placeOf(n), "unset is empty; name at least one field")
		}
	}
	for _, f := range names {
		if p.fieldName(f) {
			r.fields = append(r.fields, fieldOp{OpUnset, f.Value, placeOf(f), nil})
		}
	}
}

func (p *parser) fieldName(n *yaml.Node) bool {
	ok := n.Kind == yaml.ScalarNode && n.Value != "" && letter(n.Value[0])
	for i := 0; ok && i < len(n.Value); i++ {
		ok = letter(n.Value[i]) || digit(n.Value[i])
	}
	if !ok {
		p.add(placeOf(n), "%s cannot be the name of a field: letters, digits and '_', not a digit first", kindOf(n))
	}
	return ok
}

// once reports fields that stand in a rule more than once, and keeps the first.
func (p *parser) once(r *rule) {
	seen := map[string]fieldOp{}
	kept := r.fields[:0]
	for _, f := range r.fields {
		if first, twice := seen[f.field]; twice {
			p.add(f.at, "field %s stands in this rule twice; the first is %s at %v", f.field, first.op, first.at)
			continue
		}
		seen[f.field] = f
		kept = append(kept, f)
	}
	r.fields = kept
}
