package rules

import "fmt"

// sharing says why a field has several writers and what would give it one; the
// zero sharing is that of a field that one stream owns.
type sharing struct{ why, remedy string }

// What gives a field one writer.
const (
	ownKey   = "the row key \"=stream\""
	ownView  = "a view for each topic"
	ownTopic = "a topic whose producers partition by its keys"
)

// checkOwners finds out which fields only one stream of one topic writes, and
// refuses ops whose result would depend on the order of several streams.
func (c *compiler) checkOwners() {
	all := c.manyWriters()
	for _, name := range c.fieldNames() {
		f, of := c.fields[name], all
		if of == (sharing{}) {
			of = sharedKey(f.uses)
		}
		if f.shared = of != (sharing{}); !f.shared {
			continue
		}
		if c.view.From != "" {
			c.refuseSnapshots(of)
			continue
		}
		for _, u := range f.uses {
			c.checkShared(u, of)
		}
	}
	c.checkDeletes(all)
}

// manyWriters says why every field of the view is shared, whatever the row keys;
// empty where that depends on them.
func (c *compiler) manyWriters() sharing {
	if len(c.view.Topics) > 1 {
		return sharing{"the view reads several topics", ownView}
	}
	for _, t := range c.view.Topics {
		if c.opts.AnyPartitioner != nil && c.opts.AnyPartitioner(t) {
			return sharing{fmt.Sprintf("topic %s has partitioner: any", t), ownTopic}
		}
	}
	return sharing{}
}

// sharedKey says which row key is not that of one stream; empty where the stream
// stands in one and the same place of all of them.
func sharedKey(uses []use) sharing {
	rules := make([]*checkedRule, len(uses))
	for i, u := range uses {
		rules[i] = u.rule
	}
	return notOwned(rules)
}

func notOwned(rules []*checkedRule) sharing {
	owners := ^uint64(0)
	for _, r := range rules {
		if r.key.text == nil {
			continue // it has problems of its own
		}
		if r.key.owners == 0 {
			return sharing{fmt.Sprintf("the row key at %v is not the stream and does not contain it", r.key.at), ownKey}
		}
		if owners &= r.key.owners; owners == 0 {
			return sharing{fmt.Sprintf("the row key at %v has the stream in another place", r.key.at), ownKey}
		}
	}
	return sharing{}
}

// refuseSnapshots says why rows of several streams cannot come from snapshots.
func (c *compiler) refuseSnapshots(of sharing) {
	if of.remedy != ownView { // of which foldOf has said so
		c.add(c.view.fromAt, "from: snapshots is for rows that one stream writes, but %s; use %s, or leave from out", of.why, of.remedy)
	}
}

func (c *compiler) checkShared(u use, of sharing) {
	const order = "events of several streams write it in an order that is not defined"
	switch u.change.op {
	case OpSet:
		c.add(u.change.at, "set of field %s is not possible: %s, since %s; use latest, which orders by the time of the event, or %s",
			u.change.field, order, of.why, of.remedy)
	case OpUnset:
		what := "unset"
		if u.change.fieldOp.value != nil {
			what = "set of null"
		}
		c.add(u.change.at, "%s of field %s is not possible: %s, since %s; use %s", what, u.change.field, order, of.why, of.remedy)
	}
}

// checkDeletes refuses to delete rows that hold a field of another stream.
func (c *compiler) checkDeletes(of sharing) {
	var all []*checkedRule
	for _, ev := range c.events {
		all = append(all, ev.rules...)
	}
	if of == (sharing{}) {
		of = notOwned(all)
	}
	if of == (sharing{}) {
		return
	}
	remedy := "use " + of.remedy
	if of.remedy == ownKey {
		remedy = "give every rule of the view " + ownKey + " or a tuple with stream in one place"
	}
	for _, r := range all {
		if r.rule.remove {
			c.add(r.rule.removes, "delete is not possible: the row may hold what other streams wrote, since %s; %s", of.why, remedy)
		}
	}
}
