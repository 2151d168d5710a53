package rules

import "fmt"

// checkOwners finds out which fields only one stream of one topic writes, and
// refuses ops whose result would depend on the order of several streams.
func (c *compiler) checkOwners() {
	reason := c.manyWriters()
	for _, name := range c.fieldNames() {
		f := c.fields[name]
		why := reason
		if why == "" {
			why = sharedKey(f.uses)
		}
		if f.shared = why != ""; !f.shared {
			continue
		}
		for _, u := range f.uses {
			c.checkShared(u, why)
		}
	}
	c.checkDeletes(reason)
}

// manyWriters says why every field of the view is shared, whatever the row keys;
// empty where that depends on them.
func (c *compiler) manyWriters() string {
	if len(c.view.Topics) > 1 {
		return "the view reads several topics"
	}
	for _, t := range c.view.Topics {
		if c.opts.AnyPartitioner != nil && c.opts.AnyPartitioner(t) {
			return fmt.Sprintf("topic %s has partitioner: any", t)
		}
	}
	return ""
}

// sharedKey says which row key is not that of one stream; empty where the stream
// stands in one and the same place of all of them.
func sharedKey(uses []use) string {
	rules := make([]*checkedRule, len(uses))
	for i, u := range uses {
		rules[i] = u.rule
	}
	return notOwned(rules)
}

func notOwned(rules []*checkedRule) string {
	owners := ^uint64(0)
	for _, r := range rules {
		if r.key.text == nil {
			continue // it has problems of its own
		}
		if r.key.owners == 0 {
			return fmt.Sprintf("the row key at %v is not the stream and does not contain it", r.key.at)
		}
		if owners &= r.key.owners; owners == 0 {
			return fmt.Sprintf("the row key at %v has the stream in another place", r.key.at)
		}
	}
	return ""
}

func (c *compiler) checkShared(u use, why string) {
	const order = "events of several streams write it in an order that is not defined"
	switch u.change.op {
	case OpSet:
		c.add(u.change.at, "set of field %s is not possible: %s, since %s; use latest, which orders by the time of the event, or the row key \"=stream\"",
			u.change.field, order, why)
	case OpUnset:
		c.add(u.change.at, "unset of field %s is not possible: %s, since %s; use the row key \"=stream\"",
			u.change.field, order, why)
	}
}

// checkDeletes refuses to delete rows that hold a field of another stream.
func (c *compiler) checkDeletes(reason string) {
	var all []*checkedRule
	for _, ev := range c.events {
		all = append(all, ev.rules...)
	}
	if reason == "" {
		reason = notOwned(all)
	}
	if reason == "" {
		return
	}
	for _, r := range all {
		if r.rule.remove {
			c.add(r.rule.removes, "delete is not possible: the row may hold what other streams wrote, since %s; give every rule of the view the row key \"=stream\" or a tuple with stream in one place", reason)
		}
	}
}
