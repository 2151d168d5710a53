package rules

import (
	"fmt"
	"slices"

	"github.com/millrace/millrace/streams"
)

// checkedSnapshot is how a snapshot becomes a row: its scope has the state as
// data, and one rule.
type checkedSnapshot struct {
	*checkedEvent
	fold *Fold
	// keyNeeds are the Metas that the row key reads.
	keyNeeds uint16
}

// compileSnapshot compiles the rule of snapshot, behind those of the events.
func (c *compiler) compileSnapshot() {
	if c.view.From == "" || c.view.snapshot == nil {
		return
	}
	ev, fold := c.snapshotScope()
	if ev == nil {
		for _, f := range c.view.snapshot.fields {
			c.use(f.field).unsure = true
		}
		return
	}
	r := c.checker.rule(ev, *c.view.snapshot)
	r.rule.remove = true // what the row was before
	ev.rules = []*checkedRule{r}
	c.snapshot = &checkedSnapshot{checkedEvent: ev, fold: fold, keyNeeds: c.snapshotKey(ev.scope, r)}
	for _, f := range c.view.snapshot.fields {
		c.writeSnapshot(ev.scope, r, f)
	}
}

// snapshotScope finds the fold and its state; nil where there are none.
func (c *compiler) snapshotScope() (*checkedEvent, *Fold) {
	fold := c.foldOf()
	if fold == nil || fold.State == "" { // which is a problem of the fold
		return nil, nil
	}
	t, err := c.opts.Types(fold.State)
	if err == nil && t.Kind != streams.KindRecord {
		err = fmt.Errorf("%s is %s, not a record", fold.State, t)
	}
	if err != nil {
		c.add(c.view.fromAt, "the state of fold %s: %v", fold.Name, err)
		return nil, nil
	}
	s := &scope{names: snapshotNames, event: fold.State, data: t}
	if !fold.ofKind {
		s.written = fold.written()
	}
	return &checkedEvent{eventType: fold.State, scope: s}, fold
}

// foldOf returns the fold that keeps the snapshots of the view's topic; nil where
// there is none.
func (c *compiler) foldOf() *Fold {
	switch n := len(c.view.Topics); {
	case n > 1:
		c.add(c.view.fromAt, "from: snapshots needs exactly one topic, not %d: a snapshot is the state of one stream of one topic", n)
		return nil
	case n == 0:
		return nil // Parse has said so
	}
	topic := c.view.Topics[0]
	if c.opts.Fold != nil {
		if fold := c.opts.Fold(topic); fold != nil {
			return fold
		}
	}
	c.add(c.view.fromAt, "no fold keeps snapshots of topic %s; add one to compactor.snapshots, with name, topic: %s, state, on_error and on", topic, topic)
	return nil
}

// snapshotKey compiles the row key of snapshot and returns the Metas that it reads.
func (c *compiler) snapshotKey(s *scope, r *checkedRule) uint16 {
	others := s.needs
	s.names, s.needs = snapshotKeyNames, 0
	c.key(s, r)
	needs := s.needs
	s.names, s.needs = snapshotNames, others|needs
	return needs
}

// writeSnapshot compiles the value of a field, which its op puts into a row that
// was deleted.
func (c *compiler) writeSnapshot(s *scope, r *checkedRule, f fieldOp) {
	used := c.use(f.field)
	change, ok := c.change(s, f)
	if ok && change.op == OpUnset {
		c.add(f.at, "set of null: rows that come from snapshots would never have field %s", f.field)
		ok = false
	}
	if !ok {
		used.unsure = true
		return
	}
	if len(used.uses) > 0 && used.uses[0].change.op.Family() != FamilySet {
		change.op = used.uses[0].change.op
	}
	r.add(change)
	used.add(r, change)
}

// checkSnapshot checks that rows are the same, whether they come from snapshots
// or from events.
func (c *compiler) checkSnapshot() {
	if c.snapshot == nil || c.view.broken {
		return
	}
	for _, name := range c.fieldNames() {
		if uses := c.fields[name].uses; len(uses) > 0 {
			c.checkSnapshotField(uses[0].change)
		}
	}
	c.checkSnapshotKeys()
	c.checkEnds()
}

// checkSnapshotField checks a field by the first change that rules make of it.
func (c *compiler) checkSnapshotField(first checkedChange) {
	sets := func(f fieldOp) bool { return f.field == first.field }
	switch {
	case first.op == OpLatest:
		c.add(first.at, "latest of field %s is not possible from snapshots: a state does not hold the time that orders its values; use set, since the events of a stream come in order", first.field)
	case !slices.ContainsFunc(c.view.snapshot.fields, sets):
		c.add(first.at, "snapshot does not set field %s, so rows that come from snapshots would not have it; add %[1]s: \"=state.…\" to its set", first.field)
	}
}

// checkSnapshotKeys refuses rules for rows that no snapshot makes.
func (c *compiler) checkSnapshotKeys() {
	row := c.snapshot.rules[0]
	for _, ev := range c.events {
		for _, r := range ev.rules {
			if row.key.text != nil && r.key.text != nil && r.canonical.key.canonical() != row.canonical.key.canonical() {
				c.add(r.key.at, "this row key is not that of snapshot, at %v: the row would be missing where it comes from snapshots; give both the same row key", row.key.at)
			}
		}
	}
}

// linkSnapshot builds what makes and deletes rows from snapshots.
func (c *compiler) linkSnapshot(p *Program, index map[string]int) {
	if c.snapshot == nil {
		return
	}
	p.Snapshot = link(c.snapshot.checkedEvent, p.Fields, index)
	p.Snapshot.rules[0].whole = true
	p.Gone = &Event{
		Type: p.Snapshot.Type, Needs: c.snapshot.keyNeeds, cells: p.Snapshot.cells,
		rules: []linkedRule{{key: p.Snapshot.rules[0].key, remove: true}},
	}
}
