package avro

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/avro"
)

// TestHostileValues holds that what a value claims costs nothing.
func TestHostileValues(t *testing.T) {
	deep := rec("A", field("next", `["null","A"]`))
	nulls := rec("A", field("nn", `{"type":"array","items":"null"}`), field("x", `"int"`))
	texts := rec("A", field("nn", `{"type":"array","items":"string"}`), field("x", `"int"`))
	huge := binary.AppendVarint(nil, 1<<50)
	negative := append(binary.AppendVarint(nil, -1<<50), 0)
	for name, x := range map[string]struct {
		schema  string
		payload []byte
		want    error
	}{
		"nulls":            {nulls, append(bytes.Clone(huge), 0, 2), errEmpty},
		"nulls with size":  {nulls, append(bytes.Clone(negative), 0, 2), errEmpty},
		"many null blocks": {nulls, append(bytes.Repeat([]byte{0xfe, 0x3f}, 100), 0, 2), errEmpty},
		"smallest count":   {nulls, append(binary.AppendVarint(nil, -1<<63), 0, 0, 2), errLength},
		"texts":            {texts, append(bytes.Clone(huge), 0, 2), errShort},
		"text":             {texts, append([]byte{2}, huge...), errShort},
		"negative text":    {texts, []byte{2, 1, 0, 2}, errLength},
		"wrong size":       {texts, []byte{1, 4, 0, 0, 2}, errSize},
		"negative size":    {nulls, []byte{1, 1, 0, 2}, errSize},
		"nested too deep":  {deep, append(bytes.Repeat([]byte{2}, MaxDepth+2), 0), errDepth},
	} {
		t.Run(name, func(t *testing.T) {
			c := codecOf(t, "A.avsc", x.schema)
			header := valueOf(t, `"int"`, 1)[:2]
			value := append(binary.LittleEndian.AppendUint64(header, c.readers["A"].fingerprint), x.payload...)
			if _, err := read(c, "A", value); !errors.Is(err, x.want) {
				t.Errorf("Read: got %v, want %v", err, x.want)
			}
			if _, _, err := c.Decode(value); !errors.Is(err, x.want) {
				t.Errorf("Decode: got %v, want %v", err, x.want)
			}
		})
	}
}

// TestReadIsStrict holds that damage is found in what nobody wants, too, where
// the oracle lets it pass.
func TestReadIsStrict(t *testing.T) {
	text := rec("A", field("b", `"boolean"`), field("i", `"int"`), field("e", `{"type":"enum","name":"E","symbols":["A","B"]}`), field("d", decimal), field("t", `{"type":"long","logicalType":"timestamp-millis"}`))
	c := codecOf(t, "A.avsc", text)
	at := binary.AppendVarint(nil, 1_000_000_000_000_000)
	good := []byte{1, 2, 2, 2, 5, 0}
	for name, x := range map[string]struct {
		payload []byte
		want    error
		only    string // the path that must be wanted
	}{
		"boolean":   {[]byte{2, 2, 2, 2, 5, 0}, errBool, ""},
		"int":       {[]byte{1, 0xfe, 0xff, 0xff, 0xff, 0x7f, 2, 2, 5, 0}, errInt, ""},
		"long int":  {[]byte{1, 0x82, 0x80, 0x80, 0x80, 0x80, 0, 2, 2, 5, 0}, errInt, ""},
		"varint":    {[]byte{1, 2, 2, 2, 5, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, errVarint, ""},
		"symbol":    {[]byte{1, 2, 4, 2, 5, 0}, errSymbol, ""},
		"39 digits": {append(append([]byte{1, 2, 2, 34}, bytes.Repeat([]byte{1}, 17)...), 0), errDigits, "d"},
		"instant":   {append([]byte{1, 2, 2, 2, 5}, at...), errInstant, "t"},
	} {
		t.Run(name, func(t *testing.T) {
			header := binary.LittleEndian.AppendUint64([]byte{0xC3, 1}, c.readers["A"].fingerprint)
			if _, err := read(c, "A", append(header, good...), "b", "i", "e", "d", "t"); err != nil {
				t.Fatal(err)
			}
			value := append(header, x.payload...)
			if _, err := read(c, "A", value, "b", "i", "e", "d", "t"); !errors.Is(err, x.want) {
				t.Errorf("all wanted: got %v, want %v", err, x.want)
			}
			if _, err := read(c, "A", value); x.only == "" && !errors.Is(err, x.want) {
				t.Errorf("none wanted: got %v, want %v", err, x.want)
			}
		})
	}
}

func TestLimitsOfGoavroAreLowered(t *testing.T) {
	c := codecOf(t, "A.avsc", rec("A", field("n", `{"type":"array","items":"null"}`)))
	_, _, err := c.readers["A"].goavro.NativeFromBinary(binary.AppendVarint(nil, 1<<30))
	wantError(t, err, "MaxBlockCount")
}

// TestCodecIsSharedByReadersAndWriters is for the race detector.
func TestCodecIsSharedByReadersAndWriters(t *testing.T) {
	c := codecOf(t, "R.avsc", everything)
	w, err := c.JSONWriter("R")
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 50 {
				value, err := w.EncodeJSON(nil, json.RawMessage(`{"u":{"x":1},"id":"0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"}`))
				if err != nil {
					t.Fatal(err)
				}
				slots, err := read(c, "R", value, "id", "in.x", "dec")
				if err != nil || slots[0].Str != "0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b" || slots[1].Int() != 3 {
					t.Fatal(slots, err)
				}
			}
		})
	}
}

// TestHugeSchemas: what a step holds of a schema is a number of 16 or 32 bits.
func TestHugeSchemas(t *testing.T) {
	t.Run("fixed", func(t *testing.T) {
		fields := []string{field("f", `{"type":"fixed","name":"F","size":999999}`)}
		for i := range 2200 {
			fields = append(fields, field(fmt.Sprintf("f%d", i), `"F"`))
		}
		c := codecOf(t, "A.avsc", rec("A"), "former/A.avsc", rec("A", fields...))
		w, err := parseSchema("A.avsc", []byte(rec("A", fields...)))
		if err != nil {
			t.Fatal(err)
		}
		value := binary.LittleEndian.AppendUint64([]byte{0xC3, 1}, w.fingerprint)
		if _, err := read(c, "A", append(value, make([]byte, 100)...)); !errors.Is(err, errShort) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("union", func(t *testing.T) {
		const branches = 1<<16 + 2
		union := avro.SchemaNode{Type: "union", Branches: slices.Repeat([]avro.SchemaNode{{Type: "fixed", Name: "F", Size: 1}}, branches)}
		s := &schema{root: &avro.SchemaNode{Type: "record", Name: "A", Fields: []avro.SchemaField{{Name: "u", Type: union}}}}
		p, err := compile(s, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		var m machine
		if err := m.read(p, append(binary.AppendVarint(nil, branches-1), 7), nil); err != nil {
			t.Error(err)
		}
		if err := m.read(p, append(binary.AppendVarint(nil, branches), 7), nil); !errors.Is(err, errBranch) {
			t.Errorf("a branch too many: got %v", err)
		}
	})
}

// TestIntsAreIntsAsInstants: an int beyond 32 bits is damage, also where the
// reader makes an instant of it.
func TestIntsAreIntsAsInstants(t *testing.T) {
	was, is := rec("A", field("t", `"int"`)), rec("A", field("t", `{"type":"long","logicalType":"timestamp-millis"}`))
	c := codecOf(t, "A.avsc", is, "former/A.avsc", was)
	header := valueOf(t, was, map[string]any{"t": 0})[:headerSize]
	for n, want := range map[int64]error{1<<31 - 1: nil, 1 << 31: errInt, -1 << 31: nil} {
		slots, err := read(c, "A", binary.AppendVarint(bytes.Clone(header), n), "t")
		if !errors.Is(err, want) || err == nil && slots[0].Bits != n*millis {
			t.Errorf("%d: got %v, %v", n, slots, err)
		}
	}
}
