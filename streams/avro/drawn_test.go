package avro

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"

	"github.com/twmb/avro"
	"pgregory.net/rapid"
)

// drawnType is one type of a schema that is being made up. Named types are
// shared: a record may stand within itself.
type drawnType struct {
	kind   string // record, enum, fixed, array, map, union; else text is all of it
	text   string // of a scalar; what else an enum or a fixed has
	name   string
	fields []drawnField
	parts  []*drawnType // the items of an array or a map, the branches of a union
}

type drawnField struct {
	name, more string // more is what stands behind the type
	of         *drawnType
}

// schema writes the type down. The first mention of a name defines it.
func (d *drawnType) schema(defined map[string]bool) string {
	if d.name != "" && defined[d.name] {
		return fmt.Sprintf("%q", d.name)
	}
	defined[d.name] = true
	var parts []string
	for _, p := range d.parts {
		parts = append(parts, p.schema(defined))
	}
	switch d.kind {
	case "record":
		for _, f := range d.fields {
			parts = append(parts, fmt.Sprintf(`{"name":%q,"type":%s%s}`, f.name, f.of.schema(defined), f.more))
		}
		return fmt.Sprintf(`{"type":"record","name":%q,"fields":[%s]}`, d.name, strings.Join(parts, ","))
	case "enum", "fixed":
		return fmt.Sprintf(`{"type":%q,"name":%q,%s}`, d.kind, d.name, d.text)
	case "array":
		return fmt.Sprintf(`{"type":"array","items":%s}`, parts[0])
	case "map":
		return fmt.Sprintf(`{"type":"map","values":%s}`, parts[0])
	case "union":
		return "[" + strings.Join(parts, ",") + "]"
	}
	return d.text
}

// schemaDrawer makes up a writer's schema and what became of it.
type schemaDrawer struct {
	t       *rapid.T
	wide    bool // unions have several branches besides null
	names   int
	named   []*drawnType
	evolved map[*drawnType]*drawnType
}

func (s *schemaDrawer) name(prefix string) string {
	s.names++
	return fmt.Sprintf("%s%d", prefix, s.names)
}

// oneIn says true once in n times.
func (s *schemaDrawer) oneIn(n int) bool { return rapid.IntRange(1, n).Draw(s.t, "one in") == n }

func scalarOf(text string) *drawnType { return &drawnType{text: text} }

func logicalOf(avroType, logical string) string {
	return fmt.Sprintf(`{"type":%q,"logicalType":%q}`, avroType, logical)
}

// drawnScalars are the scalars of a writer, each with what a reader may have
// instead.
var drawnScalars = map[string][]string{
	`"null"`:    nil,
	`"boolean"`: nil,
	`"int"`:     {`"long"`, `"float"`, `"double"`, logicalOf("long", "timestamp-millis"), logicalOf("int", "date")},
	`"long"`:    {`"float"`, `"double"`, logicalOf("long", "timestamp-nanos")},
	`"float"`:   {`"double"`},
	`"double"`:  nil,
	`"string"`:  {`"bytes"`},
	`"bytes"`:   {`"string"`},
	`{"type":"bytes","logicalType":"decimal","precision":38,"scale":6}`: {`"bytes"`},
	logicalOf("long", "timestamp-millis"):                               {`"long"`},
	logicalOf("long", "timestamp-micros"):                               nil,
	logicalOf("long", "timestamp-nanos"):                                nil,
	logicalOf("long", "local-timestamp-millis"):                         nil,
	logicalOf("long", "local-timestamp-micros"):                         nil,
	logicalOf("long", "local-timestamp-nanos"):                          nil,
	logicalOf("int", "date"):                                            {`"int"`},
	logicalOf("int", "time-millis"):                                     nil,
	logicalOf("long", "time-micros"):                                    nil,
	logicalOf("string", "uuid"):                                         nil,
}

var drawnFixed = []string{
	`"size":3`, `"size":16,"logicalType":"uuid"`, `"size":12,"logicalType":"duration"`,
	`"size":9,"logicalType":"decimal","precision":20,"scale":3`,
}

// newFields are types of fields that only the reader has, with a default.
var newFields = [][2]string{
	{`["null","string"]`, `null`}, {`["string","null"]`, `"new"`}, {`["int","null"]`, `-7`}, {`"boolean"`, `true`}, {`"int"`, `2147483647`},
	{`"long"`, `-9223372036854775808`}, {`"float"`, `0.1`}, {`"double"`, `0.1`}, {`"double"`, `3`}, {`"string"`, `"ü"`}, {`"bytes"`, `"\u00ff\u0000"`},
	{`{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`, `"\u00ff\u0001"`}, {`{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`, `""`},
	{logicalOf("long", "timestamp-millis"), `-1500`}, {logicalOf("long", "local-timestamp-nanos"), `1`}, {logicalOf("int", "date"), `-3`}, {logicalOf("long", "time-micros"), `5`},
	{`{"type":"array","items":"int"}`, `[1]`}, {`{"type":"map","values":"long"}`, `{"a":1}`},
}

// draw makes up a type; depth is how many there may be within.
func (s *schemaDrawer) draw(depth int) *drawnType {
	kinds := []string{"scalar", "scalar", "scalar", "enum", "fixed", "again"}
	if depth > 0 {
		kinds = append(kinds, "record", "array", "map", "nullable", "nullable")
	}
	if depth > 0 && s.wide {
		kinds = append(kinds, "union")
	}
	switch kind := rapid.SampledFrom(kinds).Draw(s.t, "kind"); kind {
	case "enum":
		return s.keep(&drawnType{kind: kind, name: s.name("E"), text: `"symbols":["A","B","C"],"default":"B"`})
	case "fixed":
		return s.keep(&drawnType{kind: kind, name: s.name("F"), text: rapid.SampledFrom(drawnFixed).Draw(s.t, "fixed")})
	case "again":
		if len(s.named) > 0 {
			return rapid.SampledFrom(s.named).Draw(s.t, "again")
		}
	case "record":
		return s.record(depth)
	case "array", "map":
		return &drawnType{kind: kind, parts: []*drawnType{s.draw(depth - 1)}}
	case "nullable":
		return s.nullable(s.draw(depth - 1))
	case "union":
		return s.union(depth)
	}
	return scalarOf(rapid.SampledFrom(sortedScalars).Draw(s.t, "scalar"))
}

func (s *schemaDrawer) keep(d *drawnType) *drawnType {
	s.named = append(s.named, d)
	return d
}

func (s *schemaDrawer) record(depth int) *drawnType {
	r := &drawnType{kind: "record", name: s.name("R")}
	for range rapid.IntRange(0, 5).Draw(s.t, "fields") {
		r.fields = append(r.fields, drawnField{name: s.name("f"), of: s.draw(depth - 1)})
	}
	if s.oneIn(4) {
		r.fields = append(r.fields, drawnField{name: s.name("f"), of: s.nullable(r)})
	}
	if s.oneIn(6) {
		r.fields = append(r.fields, drawnField{name: s.name("f"), of: &drawnType{kind: "array", parts: []*drawnType{r}}})
	}
	return s.keep(r) // now that it has no field of its own type
}

// nullable is the type or null; a union within a union is not allowed.
func (s *schemaDrawer) nullable(d *drawnType) *drawnType {
	if d.kind == "union" || d.text == `"null"` {
		return d
	}
	parts := []*drawnType{scalarOf(`"null"`), d}
	if s.oneIn(3) {
		parts[0], parts[1] = parts[1], parts[0]
	}
	return &drawnType{kind: "union", parts: parts}
}

// union has many branches, no two of which are of one type.
func (s *schemaDrawer) union(depth int) *drawnType {
	u := &drawnType{kind: "union"}
	for _, text := range []string{`"null"`, `"boolean"`, `"int"`, `"double"`, `"string"`, logicalOf("long", "timestamp-micros")} {
		if s.oneIn(2) {
			u.parts = append(u.parts, scalarOf(text))
		}
	}
	for range rapid.IntRange(0, 2).Draw(s.t, "records") {
		u.parts = append(u.parts, s.record(depth-1))
	}
	if len(u.parts) == 0 || s.oneIn(3) {
		u.parts = append(u.parts, &drawnType{kind: "array", parts: []*drawnType{s.draw(depth - 1)}})
	}
	return u
}

// evolve makes up what the reader has of a writer's type.
func (s *schemaDrawer) evolve(w *drawnType) *drawnType {
	if r := s.evolved[w]; r != nil {
		return r
	}
	r := *w
	s.evolved[w] = &r
	switch w.kind {
	case "":
		if others := drawnScalars[w.text]; len(others) > 0 && s.oneIn(3) {
			r.text = rapid.SampledFrom(others).Draw(s.t, "promoted")
		}
	case "enum":
		r.text = rapid.SampledFrom([]string{w.text, `"symbols":["C","A","B"]`, `"symbols":["A","X"],"default":"X"`}).Draw(s.t, "symbols")
	case "record":
		s.evolveRecord(w, &r)
	case "array", "map":
		r.parts = []*drawnType{s.evolve(w.parts[0])}
	case "union":
		s.evolveUnion(w, &r)
	}
	return &r
}

func (s *schemaDrawer) evolveRecord(w, r *drawnType) {
	r.fields = nil
	for _, f := range w.fields {
		if s.oneIn(5) {
			continue
		}
		g := drawnField{name: f.name, of: s.evolve(f.of)}
		if s.oneIn(5) {
			g.more = fmt.Sprintf(`,"aliases":["other%s",%q]`, f.name, f.name)
			g.name = s.name("renamed")
		}
		if g.of.kind != "union" && g.of.text != `"null"` && s.oneIn(6) {
			g.of = s.nullable(g.of)
		}
		r.fields = append(r.fields, g)
	}
	for s.oneIn(2) {
		r.fields = append(r.fields, s.newField())
	}
	if len(r.fields) > 1 {
		r.fields = rapid.Permutation(r.fields).Draw(s.t, "order")
	}
}

func (s *schemaDrawer) newField() drawnField {
	f := drawnField{name: s.name("new")}
	switch rapid.IntRange(0, 5).Draw(s.t, "new") {
	case 0:
		f.of, f.more = &drawnType{kind: "enum", name: s.name("E"), text: `"symbols":["P","Q"]`}, `,"default":"Q"`
	case 1:
		f.of, f.more = &drawnType{kind: "fixed", name: s.name("F"), text: drawnFixed[1]}, `,"default":"0123456789abcde\u00ff"`
	case 2:
		inner := &drawnType{kind: "record", name: s.name("R"), fields: []drawnField{
			{"a", `,"default":4`, scalarOf(`"long"`)}, {"b", "", scalarOf(`"string"`)}, {"c", `,"default":null`, scalarOf(`["null","double"]`)},
		}}
		f.of, f.more = inner, `,"default":{"b":"bb"}`
	default:
		x := rapid.SampledFrom(newFields).Draw(s.t, "default")
		f.of, f.more = scalarOf(x[0]), `,"default":`+x[1]
	}
	return f
}

// evolveUnion leaves the scalars of a wide union alone, so that no two of its
// branches become one type.
func (s *schemaDrawer) evolveUnion(w, r *drawnType) {
	r.parts = nil
	for _, b := range w.parts {
		if b.kind != "" || len(w.parts) == 2 && w.parts[0].text != w.parts[1].text && (w.parts[0].text == `"null"` || w.parts[1].text == `"null"`) {
			b = s.evolve(b)
		}
		r.parts = append(r.parts, b)
	}
	if len(r.parts) > 1 && s.oneIn(3) {
		r.parts = rapid.Permutation(r.parts).Draw(s.t, "order of branches")
	}
}

// drawPair makes up two schemas of one event type.
func drawPair(t *rapid.T) (writer, reader string) {
	s := &schemaDrawer{t: t, wide: true, evolved: map[*drawnType]*drawnType{}}
	w := s.record(4)
	r := s.evolve(w)
	return w.schema(map[string]bool{}), r.schema(map[string]bool{})
}

// valueDrawer makes up values of a schema, straight as bytes.
type valueDrawer struct {
	t *rapid.T
	s *schema
}

func (v *valueDrawer) long(b []byte, from, to int64) []byte {
	return binary.AppendVarint(b, rapid.Int64Range(from, to).Draw(v.t, "long"))
}

func (v *valueDrawer) text(b, text []byte) []byte {
	return append(binary.AppendVarint(b, int64(len(text))), text...)
}

func (v *valueDrawer) some(n int) []byte {
	return rapid.SliceOfN(rapid.Byte(), n, n).Draw(v.t, "bytes")
}

// value appends a value; where depth is used up it takes the shortest way out.
func (v *valueDrawer) value(b []byte, n *avro.SchemaNode, depth int) []byte {
	n = v.s.defs.get(n)
	if isDecimal(n) {
		return v.decimal(b, n)
	}
	switch n.Type {
	case "boolean":
		return append(b, byte(rapid.IntRange(0, 1).Draw(v.t, "bool")))
	case "int", "long":
		return v.integer(b, n)
	case "float":
		return append(b, v.some(4)...)
	case "double":
		return append(b, v.some(8)...)
	case "string":
		return v.text(b, []byte(rapid.String().Draw(v.t, "string")))
	case "bytes":
		return v.text(b, v.some(rapid.IntRange(0, 16).Draw(v.t, "length")))
	case "fixed":
		return append(b, v.some(n.Size)...)
	case "enum":
		return v.long(b, 0, int64(len(n.Symbols)-1))
	case "union":
		return v.union(b, n, depth)
	case "array", "map":
		return v.blocks(b, n, depth)
	case "record":
		for i := range n.Fields {
			b = v.value(b, &n.Fields[i].Type, depth-1)
		}
	}
	return b
}

func (v *valueDrawer) decimal(b []byte, n *avro.SchemaNode) []byte {
	digits := rapid.StringMatching(fmt.Sprintf(`-?[0-9]{1,%d}`, n.Precision)).Draw(v.t, "decimal")
	coefficient, _ := new(big.Int).SetString(digits, 10)
	if n.Type == "fixed" {
		return append(b, padded(coefficient, n.Size)...)
	}
	return v.text(b, twosComplement(coefficient))
}

func (v *valueDrawer) integer(b []byte, n *avro.SchemaNode) []byte {
	switch unit := unitOf(n); {
	case unit == days:
		return v.long(b, minInstant/days, maxInstant/days)
	case unit != 0:
		return v.long(b, minInstant/unit, maxInstant/unit)
	case timeOfDay(n) != "":
		return v.long(b, 0, 86_399_999)
	case n.Type == "int":
		return v.long(b, -1<<31, 1<<31-1)
	}
	return v.long(b, -1<<63, 1<<63-1)
}

func (v *valueDrawer) union(b []byte, n *avro.SchemaNode, depth int) []byte {
	k := rapid.IntRange(0, len(n.Branches)-1).Draw(v.t, "branch")
	for i := range n.Branches {
		if depth <= 0 && n.Branches[i].Type == "null" {
			k = i
		}
	}
	return v.value(binary.AppendVarint(b, int64(k)), &n.Branches[k], depth-1)
}

// blocks appends an array or a map in several blocks, some with their length.
func (v *valueDrawer) blocks(b []byte, n *avro.SchemaNode, depth int) []byte {
	for depth > 0 && rapid.Bool().Draw(v.t, "block") {
		items := rapid.IntRange(1, 3).Draw(v.t, "items")
		var block []byte
		for range items {
			if n.Type == "map" {
				block = v.value(v.text(block, []byte(rapid.String().Draw(v.t, "key"))), n.Values, depth-1)
			} else {
				block = v.value(block, n.Items, depth-1)
			}
		}
		if rapid.Bool().Draw(v.t, "length") {
			b = binary.AppendVarint(binary.AppendVarint(b, int64(-items)), int64(len(block)))
		} else {
			b = binary.AppendVarint(b, int64(items))
		}
		b = append(b, block...)
	}
	return append(b, 0)
}
