package rules

import "slices"

// deletion is a rule of the view that deletes the row, at an event that does not end
// the stream.
type deletion struct {
	from []*checkedRule // the rules of the view for the event, from this one on
	fold *checkedEvent  // the rules of the fold for it
}

// checkDeletesAt refuses rules that delete the row at an event behind which the
// snapshot of the stream may still make one.
func (c *compiler) checkDeletesAt(fold *checkedEvent) {
	for _, ev := range c.events {
		for i, r := range ev.rules {
			if ev.eventType == fold.eventType && r.rule.remove {
				c.checkDelete(deletion{ev.rules[i:], fold})
			}
		}
	}
}

// checkDelete demands that each field of snapshot is one of the state that the fold
// removes, or is given again by the view.
func (c *compiler) checkDelete(d deletion) {
	r, name := d.from[0], c.snapshot.fold.Name
	for _, ch := range c.snapshot.rules[0].changes {
		field, why := ch.stateField(), ""
		switch {
		case slices.ContainsFunc(d.from, func(v *checkedRule) bool { return v.op(ch.field) == OpSet && v.whenever(r) }):
		case field == "" || ch.value.null == nil:
			why = "which is not a field of the state that can be null"
		case !d.removes(field, ch.field):
			why = "and fold " + name + " does not remove state." + field + " whenever this rule applies"
		}
		if why != "" {
			c.add(r.rule.removes, "delete is not possible: snapshot sets field %s, at %v, %s, so the row would be there behind %s where it comes from snapshots; give the fold a gone that holds then, or snapshot a when that does not",
				ch.field, ch.at, why, r.eventType)
			return
		}
	}
}

// stateField returns the field of the state that the value is; empty where it is
// something else.
func (ch *checkedChange) stateField() string {
	if parts, ok := dotted(ch.text.parsed); ok && parts[0].name == "state" {
		return parts[1].name
	}
	return ""
}

// removes says whether a field of the state is absent behind the event, or what the
// fold wrote to it then, the view wrote to the field of its row, too.
func (d *deletion) removes(state, field string) (gone bool) {
	for _, r := range d.fold.rules {
		if (r.rule.remove || r.op(state) == OpUnset) && r.whenever(d.from[0]) {
			gone = true
		}
		too := func(v *checkedRule) bool { return v.gives(field) && v.whenever(r) && r.whenever(v) }
		if r.gives(state) && !slices.ContainsFunc(d.from, too) {
			gone = false
		}
	}
	return gone
}

// op returns what the rule does with a field; 0 where that is nothing.
func (r *checkedRule) op(field string) Op {
	for _, ch := range r.changes {
		if ch.field == field {
			return ch.op
		}
	}
	return 0
}

// gives says whether the rule gives a field a value.
func (r *checkedRule) gives(field string) bool { return r.op(field) != 0 && r.op(field) != OpUnset }

// whenever says whether the rule applies whenever another one does, as far as can be
// seen: it has no condition, or the same.
func (r *checkedRule) whenever(other *checkedRule) bool {
	return r.when == nil || other.when != nil && r.canonical.when.canonical() == other.canonical.when.canonical()
}
