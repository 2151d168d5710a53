package rules

import (
	"maps"
	"slices"

	"github.com/millrace/millrace/streams"
)

// fieldUse is a field of the rows with all that rules do with it.
type fieldUse struct {
	name   string
	uses   []use
	unsure bool // a rule that has problems may use it, too
	kind   streams.Kind
	shared bool
}

// use is one op on a field.
type use struct {
	rule   *checkedRule
	change checkedChange
}

// use returns the uses of a field.
func (c *compiler) use(field string) *fieldUse {
	f := c.fields[field]
	if f == nil {
		f = &fieldUse{name: field}
		c.fields[field] = f
	}
	return f
}

func (f *fieldUse) add(r *checkedRule, change checkedChange) {
	f.uses = append(f.uses, use{r, change})
}

// fieldNames returns the names of all fields, sorted.
func (c *compiler) fieldNames() []string { return slices.Sorted(maps.Keys(c.fields)) }

// checkFields checks that each field has one family of ops and one type.
func (c *compiler) checkFields() {
	for _, name := range c.fieldNames() {
		f := c.fields[name]
		if len(f.uses) == 0 {
			continue
		}
		c.checkFamily(f)
		c.checkType(f)
	}
}

func (c *compiler) checkFamily(f *fieldUse) {
	first := f.uses[0].change
	for _, u := range f.uses[1:] {
		if u.change.op.Family() != first.op.Family() {
			c.add(u.change.at, "%s of field %s, which has %s at %v; all rules change a field by one family of ops",
				u.change.op, f.name, first.op, first.at)
			f.unsure = true
		}
	}
}

// checkType finds the one kind that holds all values of the field.
func (c *compiler) checkType(f *fieldUse) {
	var values []operand
	var places []place
	for _, u := range f.uses {
		if u.change.op != OpUnset {
			values, places = append(values, u.change.value), append(places, u.change.at)
		}
	}
	widest := widen(values, func(i, with int) {
		i, with = max(i, with), min(i, with)
		c.add(places[i], "field %s is %s here, but %s at %v; a field has one type in all rules%s",
			f.name, values[i].kind, values[with].kind, places[with], mixing(values[with], values[i]))
		f.unsure = true
	})
	if widest.isNil() && !f.unsure && !c.view.broken {
		c.add(f.uses[0].change.at, "no rule gives field %s a value%s", f.name, meant(f.name, c.otherFields(f.name), ""))
	}
	if f.kind = widest.kind; f.kind == streams.KindFloat && f.uses[0].change.op == OpAdd {
		f.kind = streams.KindDecimal
	}
}

func (c *compiler) otherFields(name string) []string {
	return slices.DeleteFunc(c.fieldNames(), func(n string) bool { return n == name })
}

// as returns the operand of an op as the kind of its field.
func (o operand) as(kind streams.Kind, op Op) operand {
	switch {
	case o.kind == kind:
		return o
	case op == OpAdd && o.kind == streams.KindFloat:
		return o.shortest(o.at)
	case kind == streams.KindDecimal:
		return o.decimal()
	}
	return o.float()
}
