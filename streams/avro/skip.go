package avro

import (
	"slices"

	"github.com/twmb/avro"
)

// maxInline is how many values a program passes before the records among them
// become subprograms: few lines of schema could double it at each level.
const maxInline = 2000

// skip passes a value that nobody wants.
func (c *compiler) skip(w *avro.SchemaNode) {
	w = c.w.get(w)
	c.inlined++
	switch w.Type {
	case "null":
	case "boolean":
		c.emit(opSkipBool, 0, 1)
	case "int":
		c.emit(opSkipInt, 0, 1)
	case "long":
		c.emit(opSkipLong, 0, 1)
	case "enum":
		c.emit(opSkipEnum, 0, len(w.Symbols))
	case "float":
		c.emit(opSkipFixed, 0, 4)
	case "double":
		c.emit(opSkipFixed, 0, 8)
	case "fixed":
		if w.Size > 0 {
			c.emit(opSkipFixed, 0, w.Size)
		}
	case "string", "bytes":
		c.emit(opSkipBytes, 0, 1)
	case "record":
		c.skipRecord(w)
	case "union":
		c.union(w, c.skip)
	case "array":
		c.skipBlocks(w.Items, false)
	case "map":
		c.skipBlocks(w.Values, true)
	}
}

// skipBlocks passes an array, or a map, whose items have a key.
func (c *compiler) skipBlocks(item *avro.SchemaNode, key bool) {
	at := c.emit(opBlocks, 0, 0)
	c.target()
	if key {
		c.emit(opSkipBytes, 0, 1)
	}
	c.skip(item)
	c.out[at].n = int32(c.target())
}

// skipRecord puts the fields here; a record within itself becomes a subprogram.
// One that takes no bytes has no steps, so that each call takes some.
func (c *compiler) skipRecord(w *avro.SchemaNode) {
	if c.w.empty(w, map[string]bool{}) {
		return
	}
	name := fullName(w)
	if slices.Contains(c.open, name) || c.inlined > maxInline {
		c.emit(opCall, 0, int(c.sub(w, name)))
		return
	}
	c.open = append(c.open, name)
	c.skipFields(w)
	c.open = c.open[:len(c.open)-1]
}

func (c *compiler) skipFields(w *avro.SchemaNode) {
	for k := range w.Fields {
		c.skip(&w.Fields[k].Type)
	}
}

// sub is the subprogram that skips a record, compiled once.
func (c *compiler) sub(w *avro.SchemaNode, name string) int32 {
	if n, ok := c.subs[name]; ok {
		return n
	}
	n := int32(len(c.p.subs))
	c.subs[name] = n
	c.p.subs = append(c.p.subs, nil)
	outer := *c
	c.out, c.joined, c.inlined, c.open = nil, 0, 0, []string{name}
	c.skipFields(w)
	c.p.subs[n] = c.out
	c.out, c.joined, c.inlined, c.open = outer.out, outer.joined, outer.inlined, outer.open
	return n
}

// empty says whether every value of the type takes no bytes. seen holds the
// records that were looked into: as long as nothing is found, they are empty.
func (d definitions) empty(w *avro.SchemaNode, seen map[string]bool) bool {
	w = d.get(w)
	switch w.Type {
	case "null":
		return true
	case "fixed":
		return w.Size == 0
	case "record":
		name := fullName(w)
		if seen[name] {
			return true
		}
		seen[name] = true
		for k := range w.Fields {
			if !d.empty(&w.Fields[k].Type, seen) {
				return false
			}
		}
		return true
	}
	return false
}
