package avro

import (
	"fmt"

	"github.com/twmb/avro"
)

// resolution decodes the values of a writer's schema as those of a reader's, with
// twmb/avro; or says why that cannot be.
type resolution struct {
	schema *avro.Schema
	err    error
}

func resolve(w, r *schema) resolution {
	u := unitWalk{compiler{w: w.defs, r: r.defs}, map[[2]*avro.SchemaNode]bool{}}
	err := u.value(w.root, r.root, "data")
	var resolved *avro.Schema
	if err == nil {
		resolved, err = avro.Resolve(w.twmb, r.twmb)
	}
	if err != nil {
		err = fmt.Errorf("written with %s, read with %s: %w", w.file, r.file, err)
	}
	return resolution{resolved, err}
}

// unitWalk looks for times that were written in another unit than they are read
// in: twmb/avro takes milliseconds for microseconds.
type unitWalk struct {
	c    compiler
	seen map[[2]*avro.SchemaNode]bool
}

func (u unitWalk) value(w, r *avro.SchemaNode, path string) error {
	w, r = u.c.w.get(w), u.c.r.get(r)
	if u.seen[[2]*avro.SchemaNode{w, r}] {
		return nil
	}
	u.seen[[2]*avro.SchemaNode{w, r}] = true
	switch {
	case w.Type == "union":
		for i := range w.Branches {
			if err := u.value(&w.Branches[i], r, path); err != nil {
				return err
			}
		}
	case r.Type == "union":
		if b := u.c.branch(w, r); b != nil {
			return u.value(w, b, path)
		}
	case isTime(w) && isTime(r) && (unitOf(w) != unitOf(r) || timeOfDay(w) != timeOfDay(r)):
		return fmt.Errorf("%s: a %s is not converted to a %s; a new type is made", path, typeText(w), typeText(r))
	case w.Type == "array" && r.Type == "array":
		return u.value(w.Items, r.Items, path)
	case w.Type == "map" && r.Type == "map":
		return u.value(w.Values, r.Values, path)
	case w.Type == "record" && r.Type == "record":
		return u.record(w, r, path)
	}
	return nil
}

func (u unitWalk) record(w, r *avro.SchemaNode, path string) error {
	for i := range r.Fields {
		f := &r.Fields[i]
		if k := writerField(w, f); k >= 0 {
			if err := u.value(&w.Fields[k].Type, &f.Type, join(path, f.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}
