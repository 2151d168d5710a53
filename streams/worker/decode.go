package worker

import (
	"encoding"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// decoder fills Go values from YAML nodes. What does not fit is a problem of
// the file, and decoding goes on with the next value.
type decoder struct{ file *File }

// entry is a value with the way to it.
type entry struct {
	path  string     // kafka.brokers[0]
	key   *yaml.Node // nil for an item of a list
	value *yaml.Node
}

// place is the node that a problem with the entry is shown at: the value where
// it stands beside its key, else the key.
func (e entry) place() *yaml.Node {
	inline := e.value.Kind == yaml.ScalarNode && e.value.Tag != "!!null" || e.value.Style&yaml.FlowStyle != 0
	if e.key == nil || inline {
		return e.value
	}
	return e.key
}

var (
	nodeType     = reflect.TypeFor[yaml.Node]()
	durationType = reflect.TypeFor[time.Duration]()
	secretType   = reflect.TypeFor[streams.Secret]()
)

// decode fills v from the entry.
func (d *decoder) decode(e entry, v reflect.Value) {
	if d.file.failed[e.value] {
		return
	}
	switch {
	case v.Type() == nodeType:
		v.Set(reflect.ValueOf(*e.value))
	case v.Kind() == reflect.Pointer:
		if isNull(e.value) {
			return
		}
		p := reflect.New(v.Type().Elem())
		d.decode(e, p.Elem())
		v.Set(p)
	case isText(v):
		d.text(e, v)
	case v.Type() == durationType:
		d.duration(e, v)
	case v.Kind() == reflect.Struct:
		d.structure(e, v)
	case v.Kind() == reflect.Map:
		d.mapping(e, v)
	case v.Kind() == reflect.Slice:
		d.list(e, v)
	default:
		d.scalar(e, v)
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func isText(v reflect.Value) bool {
	_, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	return ok
}

// wrong adds a problem of an entry that cannot be decoded.
func (d *decoder) wrong(e entry, format string, args ...any) {
	d.file.failed[e.value] = true
	d.file.add(e.place(), "%s %s", e.path, fmt.Sprintf(format, args...))
}

func (d *decoder) structure(e entry, v reflect.Value) {
	fields := fieldsOf(v.Type())
	if !isNull(e.value) && e.value.Kind != yaml.MappingNode {
		d.wrong(e, "must be a block of settings, not %s", kindOf(e.value))
		return
	}
	seen := map[string]bool{}
	for key, value := range d.entries(e.value, e.path) {
		field, ok := fields.byName[key.Value]
		if !ok {
			d.unknown(e.value, key, "setting", fields.names)
			continue
		}
		seen[key.Value] = true
		d.decode(entry{e.path + "." + key.Value, key, value}, v.FieldByIndex(field.index))
	}
	for _, name := range fields.names {
		if fields.byName[name].required && !seen[name] {
			d.missing(e, name)
		}
	}
}

// missing adds the problem of a setting that is needed, where none of the
// block's keys may have meant it.
func (d *decoder) missing(e entry, name string) {
	at := absence{e.value, name}
	for i, n := range e.value.Content {
		d.file.explained[at] = d.file.explained[at] || i%2 == 0 && d.file.failed[n]
	}
	if !d.file.explained[at] {
		d.file.explained[at] = true
		d.file.add(e.place(), "%s.%s is missing", e.path, name)
	}
}

func (d *decoder) mapping(e entry, v reflect.Value) {
	if !isNull(e.value) && e.value.Kind != yaml.MappingNode {
		d.wrong(e, "must be a mapping from names to values, not %s", kindOf(e.value))
		return
	}
	m := reflect.MakeMap(v.Type())
	for key, value := range d.entries(e.value, e.path) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.decode(entry{e.path + "." + key.Value, key, value}, item)
		m.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), item)
	}
	v.Set(m)
}

func (d *decoder) list(e entry, v reflect.Value) {
	if isNull(e.value) {
		return
	}
	if e.value.Kind != yaml.SequenceNode {
		d.wrong(e, "must be a list, not %s; write [a, b], or one line with '- ' for each item", kindOf(e.value))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(e.value.Content), len(e.value.Content))
	for i, item := range e.value.Content {
		d.decode(entry{fmt.Sprintf("%s[%d]", e.path, i), nil, item}, list.Index(i))
	}
	v.Set(list)
}

// entries yields the entries of a mapping. A key that stands there twice is a
// problem, and only the first one counts.
func (d *decoder) entries(n *yaml.Node, path string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		first := map[string]*yaml.Node{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if d.file.failed[key] {
				continue
			}
			if before := first[key.Value]; before != nil {
				d.file.add(key, "%s stands here twice; the first is in line %d", name(path, key.Value), before.Line)
				continue
			}
			first[key.Value] = key
			if !yield(key, value) {
				return
			}
		}
	}
}

func name(path, key string) string {
	return strings.TrimPrefix(path+"."+short(key), ".")
}

// unknown adds the problem of a key that a mapping cannot have.
func (d *decoder) unknown(in, key *yaml.Node, what string, names []string) {
	if near := streams.Nearest(key.Value, names); near != "" {
		d.file.explained[absence{in, near}] = true
		d.file.add(key, "unknown %s %q; did you mean %q?", what, short(key.Value), near)
		return
	}
	are := "there are"
	if len(names) == 1 {
		are = "there is only"
	}
	d.file.add(key, "unknown %s %q; %s %s", what, short(key.Value), are, strings.Join(names, ", "))
}

// short bounds what a message repeats of a file.
func short(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// kindOf names the kind of a node as users see it.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "empty"
	}
	return "a single value"
}
