package avro

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/twmb/avro"
	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams"
)

// slotKinds are the types that a slot is written as, each with a default. %s is
// the name of a named one.
var slotKinds = [][2]string{
	{`"boolean"`, `true`}, {`"int"`, `-7`}, {`"long"`, `9007199254740993`}, {`"float"`, `0.5`}, {`"double"`, `0.1`}, {`"string"`, `"ü"`}, {`"bytes"`, `"\u00ff\u0000"`},
	{`{"type":"enum","name":"%s","symbols":["A","B","C"]}`, `"B"`}, {`{"type":"fixed","name":"%s","size":3}`, `"\u0001\u0002\u00ff"`},
	{`{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}`, `"\u00ff\u0001"`}, {`{"type":"bytes","logicalType":"decimal","precision":38,"scale":6}`, `"\u0001"`},
	{`{"type":"fixed","name":"%s","size":9,"logicalType":"decimal","precision":20,"scale":3}`, `"\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001"`},
	{logicalOf("long", "timestamp-millis"), `-1500`}, {logicalOf("long", "timestamp-micros"), `1`}, {logicalOf("long", "timestamp-nanos"), `1`},
	{logicalOf("long", "local-timestamp-millis"), `-1`}, {logicalOf("long", "local-timestamp-micros"), `2`}, {logicalOf("long", "local-timestamp-nanos"), `3`},
	{logicalOf("int", "date"), `-3`}, {logicalOf("int", "time-millis"), `5`}, {logicalOf("long", "time-micros"), `5`},
	{`{"type":"fixed","name":"%s","size":16,"logicalType":"uuid"}`, `"0123456789abcde\u00ff"`}, {logicalOf("string", "uuid"), `""`},
}

// slotRecord is a schema with many fields, each of which may have no value.
func slotRecord(t *rapid.T) (schema string, names []string) {
	var fields []string
	for i := range rapid.IntRange(1, 8).Draw(t, "fields") {
		name := fmt.Sprintf("f%d", i)
		kind := rapid.SampledFrom(slotKinds).Draw(t, "kind")
		text := strings.ReplaceAll(kind[0], "%s", fmt.Sprintf("N%d", i))
		fields = append(fields, rapid.SampledFrom([]string{
			field(name, `["null",`+text+`]`, `"default":null`), field(name, `["null",`+text+`]`), field(name, `[`+text+`,"null"]`, `"default":`+kind[1]), field(name, text, `"default":`+kind[1]),
		}).Draw(t, "field"))
		names = append(names, name)
	}
	return rec("State", fields...), names
}

// drawSlot makes up a value of a type, as a slot and as goavro has it.
func drawSlot(t *rapid.T, n *avro.SchemaNode) (s streams.Slot, native any) {
	some := func(n int) string { return string(rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "bytes")) }
	switch unit := unitOf(n); {
	case isDecimal(n):
		coefficient, _ := new(big.Int).SetString(rapid.StringMatching(fmt.Sprintf(`-?[0-9]{1,%d}`, n.Precision)).Draw(t, "decimal"), 10)
		if s.SetInt(coefficient.Int64()); !coefficient.IsInt64() {
			s.SetString(string(twosComplement(coefficient)))
		}
		if n.Type == "fixed" {
			return s, padded(coefficient, n.Size)
		}
		return s, twosComplement(coefficient)
	case unit != 0:
		v := rapid.Int64Range(minInstant/unit, maxInstant/unit).Draw(t, "instant")
		s.SetTime(streams.Time{Nanos: v * unit})
		return s, v
	case isUUID(n):
		id := some(uuidSize)
		s.SetString(uuidText([]byte(id)))
		return s, []byte(id)
	}
	switch n.Type {
	case "boolean":
		s.SetBool(rapid.Bool().Draw(t, "bool"))
		return s, s.Bool()
	case "int", "long":
		s.SetInt(int64(rapid.Int32().Draw(t, "int")))
		if n.Type == "long" {
			s.SetInt(rapid.Int64().Draw(t, "long"))
		}
		return s, s.Int()
	case "float":
		f := rapid.Float32().Draw(t, "float")
		s.SetFloat(float64(f))
		return s, f
	case "double":
		s.SetFloat(rapid.Float64().Draw(t, "double"))
		return s, s.Float()
	case "string", "enum":
		s.SetString(rapid.String().Draw(t, "string"))
		if n.Type == "enum" {
			s.SetString(rapid.SampledFrom(n.Symbols).Draw(t, "symbol"))
		}
		return s, s.Str
	}
	s.SetString(some(max(n.Size, rapid.IntRange(0, 9).Draw(t, "length")*(1-min(n.Size, 1)))))
	return s, []byte(s.Str)
}

// TestWriteAsTheOracles makes up schemas, fields and values: the bytes are those
// of goavro, both libraries read them, and a reader finds what was in the slots.
func TestWriteAsTheOracles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schema, names := slotRecord(t)
		c, err := openFiles("State.avsc", schema)
		if err != nil {
			t.Fatalf("%s\n%v", schema, err)
		}
		root := c.readers["State"].root
		b := encoderBuilder{c.readers["State"], map[string]*recordEncoder{}}
		encoders := b.node(root).(*recordEncoder).fields
		names = rapid.Permutation(names).Draw(t, "order")[:rapid.IntRange(0, len(names)).Draw(t, "named")]
		slots, native := make([]streams.Slot, len(names)), map[string]any{}
		for i := range root.Fields {
			native[root.Fields[i].Name] = encoders[i].missing
		}
		for slot, name := range names {
			f := &root.Fields[fieldIndex(root, name)]
			w := c.readers["State"].defs.slotField(f)
			nullable := w.branch != nil
			if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
				slots[slot] = streams.Slot{Null: true, Str: "left over", Bits: 7}
				if nullable {
					native[name] = nil
				}
				continue
			}
			var v any
			slots[slot], v = drawSlot(t, w.node)
			if native[name] = v; nullable {
				native[name] = map[string]any{c.readers["State"].tag(w.node): v}
			}
		}
		checkWritten(t, c, names, slots, native)
	})
}

func checkWritten(t *rapid.T, c *Codec, names []string, slots []streams.Slot, native map[string]any) {
	s := c.readers["State"]
	w, err := c.Writer("State", names)
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.Write([]byte("before"), slots)
	if err != nil {
		t.Fatalf("%s\n%+v\n%v", s.twmb, slots, err)
	}
	want, err := s.goavro.SingleFromNative([]byte("before"), native)
	if err != nil {
		t.Fatalf("%s\n%+v\n%v", s.twmb, native, err)
	}
	if !bytes.Equal(out, want) {
		t.Fatalf("%s\n%+v\nis written as %x, by goavro as %x", s.twmb, slots, out, want)
	}
	value := out[len("before"):]
	if _, rest, err := s.goavro.NativeFromSingle(value); err != nil || len(rest) > 0 {
		t.Fatalf("goavro: %v", err)
	}
	var v any
	if rest, err := s.twmb.DecodeSingleObject(value, &v); err != nil && !strings.Contains(err.Error(), "overflows time.Duration") || len(rest) > 0 {
		t.Fatalf("twmb/avro: %v", err)
	}
	got, err := read(c, "State", value, names...)
	if err != nil {
		t.Fatal(err)
	}
	root := c.types["State"]
	for k, name := range names {
		asNull := slots[k].Null && root.Field(name).Type.Nullable
		if asNull != got[k].Null || !slots[k].Null && slots[k] != got[k] {
			t.Fatalf("%s\n%s: %+v is read as %+v", s.twmb, name, slots[k], got[k])
		}
	}
}
