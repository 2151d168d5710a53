package avro

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/twmb/avro"
)

// correspondence compares the fields of Go types with those of records. A field
// that a struct lacks is an error of twmb/avro when the first value comes; one
// that the schema lacks would be lost.
type correspondence struct {
	defs definitions
	seen map[reflect.Type]bool
}

func (c correspondence) value(t reflect.Type, n *avro.SchemaNode, path string) error {
	if b, _ := besidesNull(n); b != nil {
		n = b
	}
	n = c.defs.get(n)
	switch {
	case t.Kind() == reflect.Pointer:
		return c.value(t.Elem(), n, path)
	case t.Kind() == reflect.Slice && n.Type == "array":
		return c.value(t.Elem(), n.Items, path)
	case t.Kind() == reflect.Map && n.Type == "map":
		return c.value(t.Elem(), n.Values, path)
	case t.Kind() == reflect.Struct && n.Type == "record" && !c.seen[t]:
		return c.record(t, n, path)
	}
	return nil
}

func (c correspondence) record(t reflect.Type, n *avro.SchemaNode, path string) error {
	c.seen[t] = true
	fields := map[string]reflect.Type{}
	collectFields(fields, t)
	for i := range n.Fields {
		f := &n.Fields[i]
		of, ok := fields[f.Name]
		if !ok {
			return fmt.Errorf("%s has no field for %s of the schema; add one, tagged `avro:%q`", t, join(path, f.Name), f.Name)
		}
		if err := c.value(of, &f.Type, join(path, f.Name)); err != nil {
			return err
		}
		delete(fields, f.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		return fmt.Errorf("the schema has no field for %s of %s; add one, or tag it `avro:\"-\"`", join(path, name), t)
	}
	return nil
}

// collectFields finds the fields of a struct under the names that twmb/avro has
// for them: those of structs that are embedded without a name, or inline, are its
// own.
func collectFields(into map[string]reflect.Type, t reflect.Type, around ...reflect.Type) {
	if slices.Contains(around, t) {
		return // it embeds itself
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("avro")
		name, options, _ := strings.Cut(tag, ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		flat := f.Anonymous && name == "" || slices.Contains(strings.Split(options, ","), "inline")
		switch {
		case tag == "-":
		case flat && inner.Kind() == reflect.Struct:
			collectFields(into, inner, append(around, t)...)
		case f.IsExported() && name != "":
			into[name] = f.Type
		case f.IsExported():
			into[f.Name] = f.Type
		}
	}
}

// besidesNull returns the branch of a union that is its only one besides null,
// and its number.
func besidesNull(n *avro.SchemaNode) (b *avro.SchemaNode, number int) {
	for k := range n.Branches {
		switch {
		case isNull(n.Branches[k]):
		case b != nil:
			return nil, 0
		default:
			b, number = &n.Branches[k], k
		}
	}
	return b, number
}
