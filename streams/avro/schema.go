package avro

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/linkedin/goavro/v2"
	"github.com/twmb/avro"
)

// schema is one .avsc file, parsed by both libraries.
type schema struct {
	file string
	root *avro.SchemaNode
	defs definitions
	// tags are what the libraries call the named types in unions, by full name.
	tags map[string]string
	twmb *avro.Schema
	// plain is the canonical form, by which twmb/avro decodes without logical
	// types.
	plain *avro.Schema
	// goavro encodes. It is built from the canonical form, which has no logical
	// types: the conversions are ours, and the fingerprint is everybody's.
	goavro      *goavro.Codec
	fingerprint uint64
	// foreign is the fingerprint that goavro gives to the schema as written.
	foreign uint64
	logical string
}

// limitGoavro lowers the limits of goavro, which are variables of its package
// and without which one corrupt count makes its decoder allocate gigabytes. They
// are set once, before the first codec is built, so that nobody who got a codec
// from this package reads them while they change.
var limitGoavro = sync.OnceFunc(func() {
	goavro.MaxBlockCount = 1 << 20
	goavro.MaxBlockSize = 64 << 20
})

func parseSchema(file string, text []byte) (*schema, error) {
	limitGoavro()
	parsed, err := avro.Parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("not a valid Avro schema: %w", err)
	}
	s := &schema{file: file, twmb: parsed, root: parsed.Root(), defs: definitions{}, tags: map[string]string{}}
	if s.root.Type != "record" && s.root.Type != "error" {
		return nil, fmt.Errorf("the schema is %s %s; the schema of an event is a record", article(s.root.Type), s.root.Type)
	}
	normalizer{s.defs, s.tags}.node(s.root, "", "")
	if s.goavro, err = parseGoavro(string(parsed.Canonical())); err != nil {
		return nil, err
	}
	if s.plain, err = avro.Parse(string(parsed.Canonical())); err != nil {
		return nil, fmt.Errorf("parsing the canonical form: %w", err)
	}
	s.fingerprint = binary.BigEndian.Uint64(parsed.Fingerprint(avro.NewRabin()))
	if s.fingerprint != s.goavro.Rabin {
		return nil, errors.New("goavro and twmb/avro disagree about the fingerprint of the schema")
	}
	s.foreign = s.fingerprint
	if original, err := parseGoavro(string(text)); err == nil {
		s.foreign = original.Rabin // what goavro refuses, it has not written either
	}
	s.logical = logicalTypes(s.root)
	return s, nil
}

// parseGoavro makes the panics of goavro errors; it has one for the second
// decimal without a scale.
func parseGoavro(text string) (c *goavro.Codec, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("goavro cannot parse the schema: %v", r)
		}
	}()
	if c, err = goavro.NewCodec(text); err != nil {
		return nil, fmt.Errorf("goavro refuses the schema: %w", err)
	}
	return c, nil
}

// name is the full name of the record.
func (s *schema) name() string { return fullName(s.root) }

func article(noun string) string {
	if noun != "" && strings.Contains("aeiou", noun[:1]) {
		return "an"
	}
	return "a"
}

// definitions are the named types of a schema by their full names.
type definitions map[string]*avro.SchemaNode

// get returns the definition behind a reference, else the node itself.
func (d definitions) get(n *avro.SchemaNode) *avro.SchemaNode {
	if def := d[n.Type]; def != nil {
		return def
	}
	return n
}

func fullName(n *avro.SchemaNode) string {
	if n.Namespace == "" || strings.Contains(n.Name, ".") {
		return n.Name
	}
	return n.Namespace + "." + n.Name
}

func namespace(fullName string) string {
	if dot := strings.LastIndexByte(fullName, '.'); dot >= 0 {
		return fullName[:dot]
	}
	return ""
}

func shortName(fullName string) string {
	return fullName[strings.LastIndexByte(fullName, '.')+1:]
}

// sameName says whether a named type of the writer is the one of the reader: by
// full name, short name, or alias of the reader's.
func sameName(w, r *avro.SchemaNode) bool {
	name := fullName(w)
	if shortName(name) == shortName(fullName(r)) {
		return true
	}
	return slices.ContainsFunc(r.Aliases, func(alias string) bool {
		return alias == name || !strings.Contains(alias, ".") && alias == shortName(name)
	})
}

// normalizer makes a tree that has one way to say each thing.
type normalizer struct {
	defs definitions
	tags map[string]string
}

// node collects definitions, makes references full names and "error" "record".
// canonical is the enclosing namespace as it is in the canonical form: there, a
// name without a namespace falls into the enclosing one.
func (z normalizer) node(n *avro.SchemaNode, enclosing, canonical string) {
	if n == nil {
		return
	}
	switch n.Type {
	case "error":
		n.Type = "record"
		fallthrough
	case "record", "enum", "fixed":
		name := fullName(n)
		z.defs[name], z.tags[name] = n, qualify(name, canonical)
		enclosing, canonical = namespace(name), namespace(z.tags[name])
	case "array", "map", "union":
	default:
		if qualified := qualify(n.Type, enclosing); z.defs[qualified] != nil {
			n.Type = qualified
		}
	}
	for i := range n.Fields {
		f := &n.Fields[i]
		lift(f)
		z.node(&f.Type, enclosing, canonical)
	}
	for i := range n.Branches {
		z.node(&n.Branches[i], enclosing, canonical)
	}
	z.node(n.Items, enclosing, canonical)
	z.node(n.Values, enclosing, canonical)
}

func qualify(name, enclosing string) string {
	if enclosing == "" || strings.Contains(name, ".") {
		return name
	}
	return enclosing + "." + name
}

// tag is what the libraries call a branch of a union.
func (s *schema) tag(branch *avro.SchemaNode) string {
	if branch.Name != "" {
		return s.tags[fullName(branch)]
	}
	return branch.Type
}

// lift moves a logical type that stands beside the type of a field into it, as
// both libraries read it.
func lift(f *avro.SchemaField) {
	logical, ok := f.Props["logicalType"].(string)
	if !ok || f.Type.LogicalType != "" {
		return
	}
	switch f.Type.Type {
	case "int", "long", "string", "bytes", "fixed":
		f.Type.LogicalType = logical
		if logical == "decimal" {
			f.Type.Precision, f.Type.Scale = number(f.Props["precision"]), number(f.Props["scale"])
		}
	}
}

func number(v any) int {
	n, _ := v.(int64)
	return int(n)
}

// logicalTypes is a text that differs where logical types do. It is compared
// between schemas of one fingerprint, so their trees have the same shape.
func logicalTypes(root *avro.SchemaNode) string {
	var b strings.Builder
	var walk func(n *avro.SchemaNode)
	walk = func(n *avro.SchemaNode) {
		if n == nil {
			return
		}
		fmt.Fprintf(&b, "%s(%d,%d) ", n.LogicalType, n.Precision, n.Scale)
		for i := range n.Fields {
			walk(&n.Fields[i].Type)
		}
		for i := range n.Branches {
			walk(&n.Branches[i])
		}
		walk(n.Items)
		walk(n.Values)
	}
	walk(root)
	return b.String()
}
