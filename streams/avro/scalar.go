package avro

import (
	"slices"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// promotions are the types that Avro lets a reader have for a writer's, besides
// the same.
var promotions = map[string][]string{
	"int":    {"long", "float", "double"},
	"long":   {"float", "double"},
	"float":  {"double"},
	"string": {"bytes"},
	"bytes":  {"string"},
}

// sameType says whether a writer's type is the reader's, without a promotion.
func sameType(w, r *avro.SchemaNode) bool {
	if w.Type != r.Type {
		return false
	}
	switch w.Type {
	case "record", "enum":
		return sameName(w, r)
	case "fixed":
		return sameName(w, r) && w.Size == r.Size
	}
	return true
}

// readable says whether a branch of the writer's can be read as r.
func (c *compiler) readable(w, r *avro.SchemaNode) bool {
	if r.Type == "union" {
		return c.branch(w, r) != nil
	}
	return sameType(w, r) || slices.Contains(promotions[w.Type], r.Type)
}

// branch is the reader's branch for a type of the writer's, nil if none. On a
// wanted path a union has one branch besides null.
func (c *compiler) branch(w, r *avro.SchemaNode) *avro.SchemaNode {
	for i := range r.Branches {
		if b := c.r.get(&r.Branches[i]); c.readable(w, b) {
			return b
		}
	}
	return nil
}

// scalar reads a value into a slot.
func (c *compiler) scalar(w, r *avro.SchemaNode, slot int, path string) {
	switch {
	case !c.readable(w, r):
		c.refuse("%s: the writer's %s cannot be read as %s", path, typeText(w), typeText(r))
	case isDecimal(w) && isDecimal(r) && w.Scale != r.Scale:
		c.refuse("%s: the writer's %s cannot be read as %s: a scale is never edited, a new event type is made", path, typeText(w), typeText(r))
	case timeOfDay(w) != timeOfDay(r) && isTime(w) && isTime(r):
		c.refuse("%s: the writer's %s cannot be read as %s", path, typeText(w), typeText(r))
	case isUUID(r):
		c.emit(opUUID, slot, 0)
	case unitOf(r) != 0:
		c.instant(w, r, slot)
	default:
		c.plain(w, r, slot)
	}
}

// instant reads in the unit of the writer, where it has one.
func (c *compiler) instant(w, r *avro.SchemaNode, slot int) {
	unit := unitOf(w)
	if unit == 0 {
		unit = unitOf(r)
	}
	c.p.units = append(c.p.units, unit)
	if w.Type == "int" {
		c.emit(opIntInstant, slot, len(c.p.units)-1)
	} else {
		c.emit(opInstant, slot, len(c.p.units)-1)
	}
}

func (c *compiler) plain(w, r *avro.SchemaNode, slot int) {
	bits := map[string]int{"float": 32, "double": 64}[r.Type]
	switch w.Type {
	case "int", "long":
		c.integer(w, slot, bits)
	case "float":
		c.emit(opFloat, slot, 0)
	case "double":
		c.emit(opDouble, slot, 0)
	case "boolean":
		c.emit(opBool, slot, 0)
	case "enum":
		c.p.symbols = append(c.p.symbols, symbols(w, r))
		c.emit(opEnum, slot, len(c.p.symbols)-1)
	case "string", "bytes":
		c.emit(bytesOp(r), slot, 0)
	case "fixed":
		if isDecimal(r) {
			c.emit(opDecimalFixed, slot, w.Size)
		} else {
			c.emit(opFixed, slot, w.Size)
		}
	}
}

func (c *compiler) integer(w *avro.SchemaNode, slot, floatBits int) {
	switch {
	case w.Type == "int" && floatBits > 0:
		c.emit(opIntToFloat, slot, floatBits)
	case w.Type == "int":
		c.emit(opInt, slot, 0)
	case floatBits > 0:
		c.emit(opLongToFloat, slot, floatBits)
	default:
		c.emit(opLong, slot, 0)
	}
}

func bytesOp(r *avro.SchemaNode) op {
	switch {
	case r.Type == "string":
		return opString
	case isDecimal(r):
		return opDecimal
	}
	return opBytes
}

// symbols are the reader's for each of the writer's; "" marks one that the
// reader does not know.
func symbols(w, r *avro.SchemaNode) []string {
	out := make([]string, len(w.Symbols))
	for k, s := range w.Symbols {
		if slices.Contains(r.Symbols, s) {
			out[k] = s
		} else if r.HasEnumDefault {
			out[k] = r.EnumDefault
		}
	}
	return out
}

// defaultSlot is a slot with a default, by the same reading as that of bytes.
func defaultSlot(r *avro.SchemaNode, v any) (s streams.Slot, err error) {
	var m machine
	switch v := v.(type) {
	case int32:
		m.integer(&s, r, int64(v))
	case int64:
		m.integer(&s, r, v)
	case float32:
		s.SetFloat(float64(v))
	case float64:
		s.SetFloat(v)
	case bool:
		s.SetBool(v)
	case string:
		s.SetString(v)
	case []byte:
		switch {
		case isDecimal(r):
			m.decimal(&s, v)
		case isUUID(r) && len(v) == 16:
			s.SetString(uuidText(v))
		default:
			s.SetString(string(v))
		}
	}
	return s, m.err
}

func (m *machine) integer(s *streams.Slot, r *avro.SchemaNode, v int64) {
	if unit := unitOf(r); unit != 0 {
		m.instant(s, v, unit)
		return
	}
	s.SetInt(v)
}
