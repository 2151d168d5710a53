package avro

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// encoder turns a JSON value into the native form of goavro for one type of the
// canonical schema. depth counts the records around it.
type encoder interface {
	native(v any, depth int) (any, error)
	// fallback is the native form of a default.
	fallback(v any) any
}

// encoderBuilder builds the encoders of a schema.
type encoderBuilder struct {
	schema  *schema
	records map[string]*recordEncoder // by full name
}

func (b *encoderBuilder) node(n *avro.SchemaNode) encoder {
	n = b.schema.defs.get(n)
	switch n.Type {
	case "record":
		return b.record(n)
	case "array":
		return arrayEncoder{b.node(n.Items), b.schema.defs.empty(n.Items, map[string]bool{})}
	case "map":
		return mapEncoder{b.node(n.Values)}
	case "union":
		return b.union(n)
	}
	return scalarEncoder{n, scalarConversion(n)}
}

func (b *encoderBuilder) record(n *avro.SchemaNode) encoder {
	if known := b.records[fullName(n)]; known != nil {
		return known
	}
	r := &recordEncoder{names: map[string]int{}}
	b.records[fullName(n)] = r
	for i := range n.Fields {
		f := &n.Fields[i]
		r.fields = append(r.fields, fieldEncoder{name: f.Name, typeText: typeText(&f.Type), encoder: b.node(&f.Type)})
		r.names[f.Name] = i
	}
	for i := range n.Fields {
		f := &n.Fields[i]
		r.names[UnescapeName(f.Name)] = i // before the name of another field
		r.fields[i].optional = f.HasDefault || isNull(f.Type) || slices.ContainsFunc(f.Type.Branches, isNull)
		if f.HasDefault {
			r.fields[i].missing = r.fields[i].fallback(f.Default)
		}
	}
	return r
}

func isNull(n avro.SchemaNode) bool { return n.Type == "null" }

func (b *encoderBuilder) union(n *avro.SchemaNode) encoder {
	u := unionEncoder{defs: b.schema.defs, union: n}
	var types []string
	for i := range n.Branches {
		branch := b.schema.defs.get(&n.Branches[i])
		types = append(types, typeText(branch))
		u.branches = append(u.branches, unionBranch{branch, b.schema.tag(branch), b.node(branch)})
	}
	u.types = strings.Join(types, ", ")
	return u
}

// fieldEncoder is one field of a record.
type fieldEncoder struct {
	encoder
	name, typeText string
	// optional says that the field may be missing; missing is what it is then.
	optional bool
	missing  any
}

type recordEncoder struct {
	fields []fieldEncoder
	names  map[string]int // of fields, escaped and not
}

func (r *recordEncoder) native(v any, depth int) (any, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, misfitf("%s is not an object", shown(v))
	}
	if depth++; depth > MaxDepth {
		return nil, misfitf("nests deeper than %d", MaxDepth)
	}
	out := make(map[string]any, len(r.fields))
	for name, v := range object {
		i, ok := r.names[name]
		if !ok {
			return nil, within("."+name, r.unknown(name))
		}
		f := &r.fields[i]
		if _, twice := out[f.name]; twice {
			return nil, within("."+name, misfitf("the field %s is given twice", f.name))
		}
		native, err := f.native(v, depth)
		if err != nil {
			return nil, within("."+name, err)
		}
		out[f.name] = native
	}
	return out, r.complete(out)
}

// complete puts in what is missing.
func (r *recordEncoder) complete(out map[string]any) error {
	for i := range r.fields {
		f := &r.fields[i]
		if _, ok := out[f.name]; ok {
			continue
		}
		if !f.optional {
			return within("."+UnescapeName(f.name), misfitf("is missing; it is %s without a default", f.typeText))
		}
		out[f.name] = f.missing
	}
	return nil
}

func (r *recordEncoder) unknown(name string) error {
	var names []string
	for i := range r.fields {
		names = append(names, UnescapeName(r.fields[i].name))
	}
	if near := streams.Nearest(name, names); near != "" {
		return misfitf("the schema has no such field; did you mean %s?", near)
	}
	return misfitf("the schema has no such field")
}

func (r *recordEncoder) fallback(v any) any {
	record, _ := v.(map[string]any)
	out := map[string]any{}
	for i := range r.fields {
		f := &r.fields[i]
		if v, ok := record[f.name]; ok {
			out[f.name] = f.encoder.fallback(v)
		} else {
			out[f.name] = f.missing
		}
	}
	return out
}

type arrayEncoder struct {
	item  encoder
	empty bool // an item takes no bytes
}

func (a arrayEncoder) native(v any, depth int) (any, error) {
	items, ok := v.([]any)
	if !ok {
		return nil, misfitf("%s is not a list", shown(v))
	}
	if a.empty && len(items) > maxEmptyItems {
		return nil, errEmpty
	}
	out := make([]any, len(items))
	for i := range items {
		var err error
		if out[i], err = a.item.native(items[i], depth); err != nil {
			return nil, within(fmt.Sprintf("[%d]", i), err)
		}
	}
	return out, nil
}

func (a arrayEncoder) fallback(v any) any {
	items, _ := v.([]any)
	out := make([]any, len(items))
	for i := range items {
		out[i] = a.item.fallback(items[i])
	}
	return out
}

type mapEncoder struct{ value encoder }

func (m mapEncoder) native(v any, depth int) (any, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, misfitf("%s is not an object", shown(v))
	}
	out := make(map[string]any, len(object))
	for k := range object {
		var err error
		if out[k], err = m.value.native(object[k], depth); err != nil {
			return nil, within("."+k, err)
		}
	}
	return out, nil
}

func (m mapEncoder) fallback(v any) any {
	object, _ := v.(map[string]any)
	out := make(map[string]any, len(object))
	for k := range object {
		out[k] = m.value.fallback(object[k])
	}
	return out
}

type unionBranch struct {
	node *avro.SchemaNode
	tag  string // what goavro calls it
	encoder
}

type unionEncoder struct {
	defs     definitions
	union    *avro.SchemaNode
	branches []unionBranch
	types    string
}

// native takes the first branch that the value fits.
func (u unionEncoder) native(v any, depth int) (any, error) {
	var last error
	tried := 0
	for i := range u.branches {
		b := &u.branches[i]
		if (v == nil) != (b.node.Type == "null") {
			continue
		}
		if v == nil {
			return nil, nil
		}
		native, err := b.native(v, depth)
		if err == nil {
			return map[string]any{b.tag: native}, nil
		}
		last = err
		tried++
	}
	if tried == 1 {
		return nil, last
	}
	return nil, misfitf("%s does not fit any of %s", shown(v), u.types)
}

func (u unionEncoder) fallback(v any) any {
	node := u.defs.defaultBranch(u.union, v)
	for i := range u.branches {
		if b := &u.branches[i]; b.node == node && v != nil {
			return map[string]any{b.tag: b.encoder.fallback(v)}
		}
	}
	return nil
}
