package avro

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// maxTypeNodes bounds the tree of one event's type: a record that is named
// twice stands in it twice, and few lines of schema can double it at each level.
const maxTypeNodes = 10_000

var errTypeSize = errors.New("the schema has more than 10,000 fields, counting those of a record each time that it is named")

// typer turns the tree of a schema into a type.
type typer struct {
	defs  definitions
	nodes int
	open  map[string]bool // the records that the current one stands in
}

func typeOf(s *schema) (streams.Type, error) {
	t := typer{defs: s.defs, open: map[string]bool{}}
	out := t.node(s.root)
	if t.nodes > maxTypeNodes {
		return streams.Type{}, errTypeSize
	}
	return out, nil
}

func (t *typer) node(n *avro.SchemaNode) streams.Type {
	n = t.defs.get(n)
	if t.nodes++; t.nodes > maxTypeNodes {
		return streams.Type{Kind: streams.KindUnion}
	}
	switch n.Type {
	case "record":
		return t.record(n)
	case "array":
		return streams.Type{Kind: streams.KindList, Elem: t.elem(n.Items)}
	case "map":
		return streams.Type{Kind: streams.KindMap, Elem: t.elem(n.Values)}
	case "union":
		return t.union(n)
	case "null":
		return streams.Type{Kind: streams.KindUnion, Nullable: true}
	}
	return scalarType(n)
}

func (t *typer) elem(n *avro.SchemaNode) *streams.Type {
	out := t.node(n)
	return &out
}

// record returns a union, what no rule can use, for a record within itself.
func (t *typer) record(n *avro.SchemaNode) streams.Type {
	name := fullName(n)
	if t.open[name] {
		return streams.Type{Kind: streams.KindUnion}
	}
	t.open[name] = true
	defer delete(t.open, name)
	out := streams.Type{Kind: streams.KindRecord}
	for i := range n.Fields {
		f := &n.Fields[i]
		field := streams.Field{Name: f.Name, Type: t.node(&f.Type), Reading: t.reading(f)}
		if f.HasDefault {
			field.Default = canonicalJSON(f.Default)
		}
		out.Fields = append(out.Fields, field)
	}
	return out
}

// reading is what of a reader's field is neither in its type nor in the default,
// nor in the fingerprint, and still decides what is read.
func (t *typer) reading(f *avro.SchemaField) string {
	var out []string
	if len(f.Aliases) > 0 {
		out = append(out, "aliases "+strings.Join(f.Aliases, " "))
	}
	n := t.defs.get(&f.Type)
	for i := range n.Branches {
		if b := t.defs.get(&n.Branches[i]); b.Type != "null" {
			n = b
			break
		}
	}
	switch {
	case unitOf(n) != 0: // what a plain number is an instant in
		out = append(out, "unit "+time.Duration(unitOf(n)).String())
	case n.Type == "float": // what a long is rounded to
		out = append(out, "32 bits")
	case n.HasEnumDefault: // what an unknown symbol becomes, and which are known
		known := slices.Sorted(slices.Values(n.Symbols))
		out = append(out, "symbol "+n.EnumDefault+" of "+strings.Join(known, " "))
	}
	return strings.Join(out, ", ")
}

func (t *typer) union(n *avro.SchemaNode) streams.Type {
	var others []*avro.SchemaNode
	for i := range n.Branches {
		if b := &n.Branches[i]; b.Type != "null" {
			others = append(others, b)
		}
	}
	out := streams.Type{Kind: streams.KindUnion}
	if len(others) == 1 {
		out = t.node(others[0])
	}
	out.Nullable = out.Nullable || len(others) < len(n.Branches)
	return out
}

// scalarType is the type of a value that fits a slot.
func scalarType(n *avro.SchemaNode) streams.Type {
	if isDecimal(n) {
		return streams.Type{Kind: streams.KindDecimal, Precision: n.Precision, Scale: n.Scale}
	}
	switch n.Type {
	case "boolean":
		return streams.Type{Kind: streams.KindBool}
	case "int", "long":
		if unitOf(n) != 0 {
			return streams.Type{Kind: streams.KindTime}
		}
		return streams.Type{Kind: streams.KindInt}
	case "float", "double":
		return streams.Type{Kind: streams.KindFloat}
	case "string", "enum":
		return streams.Type{Kind: streams.KindString}
	}
	if isUUID(n) {
		return streams.Type{Kind: streams.KindString}
	}
	return streams.Type{Kind: streams.KindBytes}
}

func isDecimal(n *avro.SchemaNode) bool {
	return n.LogicalType == "decimal" && (n.Type == "bytes" || n.Type == "fixed")
}

// isUUID says whether the value is a UUID in 16 bytes.
func isUUID(n *avro.SchemaNode) bool {
	return n.LogicalType == "uuid" && n.Type == "fixed" && n.Size == uuidSize
}

// The units of instants, in nanoseconds.
const (
	nanos  int64 = 1
	micros       = 1000 * nanos
	millis       = 1000 * micros
	days         = 86_400_000 * millis
)

// unitOf is the unit of an instant in nanoseconds, 0 for what is none. A local
// timestamp is read as if it was in UTC.
func unitOf(n *avro.SchemaNode) int64 {
	if n.Type == "int" && n.LogicalType == "date" {
		return days
	}
	if n.Type != "long" {
		return 0
	}
	switch n.LogicalType {
	case "timestamp-millis", "local-timestamp-millis":
		return millis
	case "timestamp-micros", "local-timestamp-micros":
		return micros
	case "timestamp-nanos", "local-timestamp-nanos":
		return nanos
	}
	return 0
}

// timeOfDay returns the logical type of a time of day, empty for what is none.
func timeOfDay(n *avro.SchemaNode) string {
	if n.Type == "int" && n.LogicalType == "time-millis" || n.Type == "long" && n.LogicalType == "time-micros" {
		return n.LogicalType
	}
	return ""
}

// isTime says whether the value is an instant or a time of day.
func isTime(n *avro.SchemaNode) bool { return unitOf(n) != 0 || timeOfDay(n) != "" }

// typeText is a type in the words of Avro, for errors.
func typeText(n *avro.SchemaNode) string {
	switch {
	case isDecimal(n):
		return scalarType(n).String()
	case n.LogicalType != "":
		return n.LogicalType
	case n.Name != "":
		return n.Type + " " + fullName(n)
	}
	return n.Type
}
