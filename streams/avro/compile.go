package avro

import (
	"fmt"
	"math"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// compiler translates (writer schema, reader schema, wanted paths) into a
// program. The tree of the writer's schema leads, since that is the order of
// the bytes.
type compiler struct {
	p       *program
	out     []step
	joined  int // steps before this one are not joined with: a jump may lead here
	w, r    definitions
	inlined int              // values that the steps pass
	subs    map[string]int32 // subprograms by the record that they skip
	open    []string         // records that are being skipped
	nowhere error            // the first thing that cannot be compiled
}

// compile returns the program for paths that the reader's type is known to have,
// each leading to a scalar.
func compile(w, r *schema, paths []string) (*program, error) {
	if len(paths) > math.MaxUint16 {
		return nil, fmt.Errorf("%d paths are more than %d", len(paths), math.MaxUint16)
	}
	c := &compiler{p: &program{}, w: w.defs, r: r.defs, subs: map[string]int32{}}
	c.value(w.root, r.root, wants(paths), "")
	if c.nowhere != nil {
		return nil, c.nowhere
	}
	c.p.steps = c.out
	return c.p, nil
}

// refuse keeps the first reason why there is no program.
func (c *compiler) refuse(format string, args ...any) {
	if c.nowhere == nil {
		c.nowhere = fmt.Errorf(format, args...)
	}
}

// emit adds a step, or makes the one before it longer.
func (c *compiler) emit(o op, slot, n int) int {
	last := len(c.out) - 1
	if last >= c.joined && o.joins() && c.out[last].op == o && int(c.out[last].n) <= math.MaxInt32-n {
		c.out[last].n += int32(n)
		return last
	}
	c.out = append(c.out, step{o, uint16(slot), int32(n)})
	return len(c.out) - 1
}

// target makes the next step one that a jump can lead to, and returns it.
func (c *compiler) target() int {
	c.joined = len(c.out)
	return c.joined
}

// value reads the wanted parts of a value that was written as w.
func (c *compiler) value(w, r *avro.SchemaNode, need *want, path string) {
	w, r = c.w.get(w), c.r.get(r)
	switch {
	case w.Type == "union":
		c.union(w, func(b *avro.SchemaNode) {
			if ok := c.readable(b, r); ok {
				c.value(b, r, need, path)
				return
			}
			c.fail(path, b, r)
		})
	case w.Type == "null" && c.nullable(r):
		c.nulls(need)
	case r.Type == "union":
		if b := c.branch(w, r); b != nil {
			c.value(w, b, need, path)
			return
		}
		c.refuse("%s: the writer's %s is no branch of the reader's union", path, typeText(w))
	case need.leaf:
		c.scalar(w, r, need.slot, path)
	default:
		c.record(w, r, need, path)
	}
}

// fail emits the step for a branch of the writer's union that the reader's type
// cannot hold. It is an error of the values that have it only.
func (c *compiler) fail(path string, w, r *avro.SchemaNode) {
	c.p.reasons = append(c.p.reasons, fmt.Errorf("%s: a value of type %s was written, which cannot be read as %s", path, typeText(w), typeText(r)))
	c.emit(opFail, 0, len(c.p.reasons)-1)
}

// union emits the choice of a branch and the steps of each.
func (c *compiler) union(w *avro.SchemaNode, each func(b *avro.SchemaNode)) {
	base := len(c.p.jumps)
	c.p.jumps = append(c.p.jumps, int32(len(w.Branches)))
	c.p.jumps = append(c.p.jumps, make([]int32, len(w.Branches))...)
	c.emit(opUnion, 0, base)
	var exits []int
	for i := range w.Branches {
		c.p.jumps[base+1+i] = int32(c.target())
		each(c.w.get(&w.Branches[i]))
		exits = append(exits, c.emit(opJump, 0, 0))
	}
	end := c.target()
	for _, exit := range exits {
		c.out[exit].n = int32(end)
	}
}

func (c *compiler) nullable(r *avro.SchemaNode) bool {
	if r.Type != "union" {
		return r.Type == "null"
	}
	for i := range r.Branches {
		if r.Branches[i].Type == "null" {
			return true
		}
	}
	return false
}

func (c *compiler) nulls(need *want) {
	need.each(func(slot int) { c.constant(slot, streams.Slot{Null: true}) })
}

func (c *compiler) constant(slot int, s streams.Slot) {
	c.p.consts = append(c.p.consts, s)
	c.emit(opConst, slot, len(c.p.consts)-1)
}

// record reads the fields of a record in the order of the writer.
func (c *compiler) record(w, r *avro.SchemaNode, need *want, path string) {
	if w.Type != "record" || r.Type != "record" {
		c.refuse("%s: the writer's %s cannot be read as %s", path, typeText(w), typeText(r))
		return
	}
	if !sameName(w, r) {
		c.refuse("%s: the writer's record %s is neither the reader's %s nor one of its aliases", path, fullName(w), fullName(r))
		return
	}
	written := map[int]*avro.SchemaField{} // by the writer's field
	for i := range r.Fields {
		f := &r.Fields[i]
		sub := need.fields[f.Name]
		if sub == nil {
			continue
		}
		if k := writerField(w, f); k >= 0 {
			written[k] = f
		} else if f.HasDefault {
			c.fill(&f.Type, f.Default, sub, join(path, f.Name))
		} else {
			c.refuse("%s: the writer has no such field and the reader no default", join(path, f.Name))
		}
	}
	for k := range w.Fields {
		if f := written[k]; f != nil {
			c.value(&w.Fields[k].Type, &f.Type, need.fields[f.Name], join(path, f.Name))
		} else {
			c.skip(&w.Fields[k].Type)
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// writerField is the number of the writer's field for one of the reader's: by
// name, else by alias, which no other field of the reader's has for a name; -1
// where there is none.
func writerField(w *avro.SchemaNode, f *avro.SchemaField) int {
	if k := fieldIndex(w, f.Name); k >= 0 {
		return k
	}
	for _, alias := range f.Aliases {
		if k := fieldIndex(w, alias); k >= 0 {
			return k
		}
	}
	return -1
}

func fieldIndex(n *avro.SchemaNode, name string) int {
	for k := range n.Fields {
		if n.Fields[k].Name == name {
			return k
		}
	}
	return -1
}

// fill sets the wanted slots to a default of the reader's.
func (c *compiler) fill(r *avro.SchemaNode, v any, need *want, path string) {
	r = c.r.get(r)
	if r.Type == "union" {
		if r = c.r.defaultBranch(r, v); r == nil {
			c.refuse("%s: the default belongs to no branch of the union", path)
			return
		}
	}
	if v == nil {
		c.nulls(need)
		return
	}
	if need.leaf {
		s, err := defaultSlot(r, v)
		if err != nil {
			c.refuse("%s: the default of the reader: %w", path, err)
		}
		c.constant(need.slot, s)
		return
	}
	record, _ := v.(map[string]any)
	for i := range r.Fields {
		f := &r.Fields[i]
		if sub := need.fields[f.Name]; sub != nil {
			v, ok := inRecord(f, record)
			if !ok {
				c.refuse("%s: the default of the record has no such field", join(path, f.Name))
				return
			}
			c.fill(&f.Type, v, sub, join(path, f.Name))
		}
	}
}
