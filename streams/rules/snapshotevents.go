package rules

import "slices"

// checkEnds demands that an event that ends a stream deletes its row, as the
// snapshot of a stream that has ended does, and that no other event does behind
// which there is one.
func (c *compiler) checkEnds() {
	fold, at := c.snapshot.fold, c.view.fromAt
	deletes := c.deletes()
	if fold.ofKind {
		if len(deletes) == 0 {
			c.add(at, "fold %s is of kind %s, which may end a stream, and then the row goes; give the view a rule with delete: true for the event that ends one", fold.Name, fold.Kind)
		}
		return
	}
	checked := fold.check(c.opts.Types)
	if len(checked.all) > 0 {
		c.add(at, "fold %s has problems of its own, so it is not known which events end a stream; compactor --check tells them", fold.Name)
		return
	}
	enders := checked.enders()
	for _, eventType := range enders {
		if !slices.ContainsFunc(deletes, func(r *checkedRule) bool { return r.eventType == eventType }) {
			c.add(at, "fold %s ends a stream by gone, which reads what %s writes, and then the row goes; give the view a rule with delete: true for %s, with the condition as when", fold.Name, eventType, eventType)
		}
	}
	c.checkPassedBy(fold)
	for _, ev := range checked.events {
		if slices.Contains(enders, ev.eventType) {
			continue
		}
		c.checkForgotten(ev)
		if !c.snapshot.mayHide(ev) {
			c.checkDeletesAt(ev)
		}
	}
}

// deletes returns the rules that delete a row.
func (c *compiler) deletes() (all []*checkedRule) {
	for _, ev := range c.events {
		for _, r := range ev.rules {
			if r.rule.remove {
				all = append(all, r)
			}
		}
	}
	return all
}

// checkPassedBy refuses rules for events that the fold passes by: what they do
// would be missing in rows that come from snapshots.
func (c *compiler) checkPassedBy(fold *Fold) {
	for _, ev := range c.view.events {
		if !slices.ContainsFunc(fold.events, of(ev.eventType)) {
			c.add(ev.at, "fold %s has no rules for %s, so what these do would be missing in rows that come from snapshots; give the fold rules for it, or leave these out", fold.Name, ev.eventType)
		}
	}
}

// of finds the rules of an event type.
func of(eventType string) func(eventRules) bool {
	return func(ev eventRules) bool { return ev.eventType == eventType }
}

// checkForgotten demands rules for an event of the fold that changes what snapshot
// reads.
func (c *compiler) checkForgotten(ev *checkedEvent) {
	if slices.ContainsFunc(c.view.events, of(ev.eventType)) {
		return
	}
	if what := c.snapshot.changedBy(ev); what != "" {
		c.add(c.view.fromAt, "snapshot reads %s, which changes at %s by fold %s, but the view has no rules for %[2]s, so the row would change only where it comes from snapshots; give the view rules for it, or one with when: false if the row stays as it is", what, ev.eventType, c.snapshot.fold.Name)
	}
}

// changedBy returns something that snapshot reads and an event of the fold changes;
// empty where there is nothing.
func (s *checkedSnapshot) changedBy(ev *checkedEvent) string {
	if field := ev.changes(s.scope.paths); field != "" {
		return "state." + field
	}
	if s.scope.needs&(1<<MetaVersion) != 0 {
		return MetaVersion.String()
	}
	return ""
}

// mayHide says whether the condition of snapshot reads what an event of the fold
// changes.
func (s *checkedSnapshot) mayHide(ev *checkedEvent) bool {
	when := s.rules[0].canonical.when
	return when != nil && ev.changes(stateFields(when.parsed)) != ""
}

// changes returns the first of these fields that the rules change; empty where they
// change none.
func (ev *checkedEvent) changes(fields []string) string {
	for _, field := range fields {
		if slices.ContainsFunc(ev.rules, func(r *checkedRule) bool { return r.rule.remove || r.op(field) != 0 }) {
			return field
		}
	}
	return ""
}
