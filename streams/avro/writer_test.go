package avro

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/millrace/millrace/streams"
)

// TestWriteDefaults: what nobody writes is the default, else null, as another
// library fills it in.
func TestWriteDefaults(t *testing.T) {
	for name, schema := range map[string]string{
		"everything": everything,
		"maps":       rec("R", field("m", `{"type":"map","values":{"type":"array","items":"int"}}`, `"default":{"a":[1,2]}`), field("n", `["null","string"]`), field("z", `"null"`), field("o", `["string","null"]`, `"default":"o"`)),
	} {
		c := codecOf(t, "R.avsc", schema)
		w, err := c.Writer("R", nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.Write(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := valueOf(t, schema, map[string]any{"z": nil}); !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%x, twmb/avro writes\n%x", name, got, want)
		}
	}
	c := codecOf(t, "R.avsc", rec("R", field("m", `{"type":"map","values":"int"}`, `"default":{"b":2,"a":1,"c":3}`)))
	for range 20 {
		w, err := c.Writer("R", nil)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := w.Write(nil, nil)
		if want := "\x06\x02a\x02\x02b\x04\x02c\x06\x00"; string(got[headerSize:]) != want {
			t.Fatalf("the default of a map is written as %x, want %x", got[headerSize:], want)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	c := codecOf(t, "S.avsc", rec("S", field("a", `["null","int"]`), field("li", `{"type":"array","items":"int"}`, `"default":[]`), field("un", `["null","int","string"]`)),
		"Bare.avsc", rec("Bare", field("a", `["null","int"]`), field("b", `"int"`)))
	for _, x := range []struct {
		recordType string
		fields     []string
		want       string
	}{
		{"S", []string{"b"}, `writing S: unknown field "b"`},
		{"S", []string{"a", "li"}, `writing S: field li is a list of int, not a single value`},
		{"S", []string{"un"}, `writing S: field un is a union?, not a single value`},
		{"S", []string{"a", "a"}, `writing S: field a is named twice`},
		{"Bare", []string{"a"}, `writing Bare: field b may have no value, and has neither null nor a default in Bare.avsc`},
		{"Bare", []string{"a", "b"}, `writing Bare: field b may have no value`},
		{"Bar", nil, `did you mean Bare?`},
	} {
		_, err := c.Writer(x.recordType, x.fields)
		wantError(t, err, x.want)
	}
	w, err := c.Writer("S", []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.Write([]byte("before"), nil)
	wantError(t, err, "writing S: 0 slots for 1 fields")
	if string(out) != "before" {
		t.Errorf("%q was appended", out)
	}
}

func TestWriteRefuses(t *testing.T) {
	wide := func(text string) streams.Slot {
		n, _ := new(big.Int).SetString(text, 10)
		return streams.Slot{Str: string(twosComplement(n))}
	}
	nullable := func(name, avroType string) string { return field(name, `["null",`+avroType+`]`) }
	c := codecOf(t, "S.avsc", rec("S", nullable("first", `"int"`), nullable("int", `"int"`), nullable("float", `"float"`), nullable("text", `"string"`), nullable("enum", `{"type":"enum","name":"E","symbols":["A"]}`),
		nullable("fixed", `{"type":"fixed","name":"F","size":3}`), nullable("dec", `{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`), nullable("dec38", `{"type":"bytes","logicalType":"decimal","precision":50,"scale":0}`),
		nullable("small", `{"type":"fixed","name":"D","size":2,"logicalType":"decimal","precision":4,"scale":0}`), nullable("id", `{"type":"fixed","name":"ID","size":16,"logicalType":"uuid"}`),
		nullable("ms", logicalOf("long", "timestamp-millis")), nullable("us", logicalOf("long", "local-timestamp-micros")), nullable("ns", logicalOf("long", "timestamp-nanos")), nullable("day", logicalOf("int", "date")), nullable("tod", logicalOf("int", "time-millis"))))
	nan := streams.Slot{Bits: 0x7ff0_0000_0000_0001}
	for _, x := range []struct {
		field string
		slot  streams.Slot
		want  string
	}{
		{"int", streams.Slot{Bits: 1 << 31}, `writing S: int: 2147483648 does not fit int: an int has more than 32 bits`},
		{"int", streams.Slot{Bits: -1<<31 - 1}, `-2147483649 does not fit int`},
		{"tod", streams.Slot{Bits: 1 << 31}, `2147483648 does not fit time-millis: an int has more`},
		{"float", streams.Slot{Bits: int64(math.Float64bits(0.1))}, `writing S: float: 0.1 does not fit float: it would be rounded`},
		{"float", streams.Slot{Bits: int64(math.Float64bits(1e300))}, `1e+300 does not fit float`},
		{"float", nan, `"NaN" does not fit float`},
		{"text", streams.Slot{Str: "a\xff"}, `does not fit string: the text is not UTF-8`},
		{"enum", streams.Slot{Str: "B"}, `writing S: enum: "B" does not fit enum E: the enum has no such symbol`},
		{"enum", streams.Slot{}, `"" does not fit enum E`},
		{"fixed", streams.Slot{Str: "ab"}, `"ab" does not fit fixed F: it has another length`},
		{"fixed", streams.Slot{Str: "abcd"}, `"abcd" does not fit fixed F`},
		{"dec", streams.Slot{Bits: 10000}, `writing S: dec: 100 does not fit decimal(4, 2): it has too many digits`},
		{"dec", streams.Slot{Bits: -10000}, `-100 does not fit decimal(4, 2)`},
		{"dec", streams.Slot{Bits: math.MinInt64}, `-92233720368547758.08 does not fit decimal(4, 2)`},
		{"dec", wide("10000"), `100 does not fit decimal(4, 2)`},
		{"dec38", wide("100000000000000000000000000000000000000"), `does not fit decimal(50, 0): it has too many digits`},
		{"dec38", streams.Slot{Str: "\x01" + strings.Repeat("\x00", 16)}, `it has too many digits`},
		{"dec38", wide("1" + strings.Repeat("0", 200)), `writing S: dec38: "`}, // in bytes
		{"small", streams.Slot{Bits: 10000}, `10000 does not fit decimal(4, 0): it has too many digits`},
		{"id", streams.Slot{Str: "0190A5B2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"}, `does not fit uuid: a UUID is written in lower case`},
		{"id", streams.Slot{Str: "0190a5b27c3d7e4f8a5b6c7d8e9f0a1b"}, `does not fit uuid`},
		{"id", streams.Slot{Str: "0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1"}, `does not fit uuid`},
		{"id", streams.Slot{Str: "0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b0"}, `does not fit uuid`},
		{"id", streams.Slot{Str: "0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0agg"}, `does not fit uuid`},
		{"id", streams.Slot{}, `"" does not fit uuid`},
		{"ms", streams.Slot{Bits: 1_000_001, Offset: 3600}, `writing S: ms: "1970-01-01T01:00:00.001000001+01:00" does not fit timestamp-millis: it is finer than that`},
		{"us", streams.Slot{Bits: -1}, `does not fit local-timestamp-micros: it is finer`},
		{"day", streams.Slot{Bits: days + 1}, `does not fit date: it is finer`},
		{"ns", streams.Slot{Bits: math.MaxInt64}, `does not fit timestamp-nanos: time out of range`},
		{"ns", streams.Slot{Bits: math.MinInt64}, `time out of range`},
	} {
		w, err := c.Writer("S", []string{"first", x.field})
		if err != nil {
			t.Fatal(err)
		}
		dst := append(make([]byte, 0, 100), "before"...)
		out, err := w.Write(dst, []streams.Slot{{Bits: 1}, x.slot})
		wantError(t, err, x.want)
		if string(out) != "before" {
			t.Errorf("%s: %q was appended", x.field, out)
		}
	}
}

// limits is a state with a field of each kind that has limits, and slots at them.
func limits(t testing.TB) (w streams.Writer, r streams.Reader, slots []streams.Slot) {
	t.Helper()
	var fields, names []string
	add := func(name, avroType string, s streams.Slot) {
		fields, names, slots = append(fields, field(name, `["null",`+avroType+`]`, `"default":null`)), append(names, name), append(slots, s)
	}
	most, _ := new(big.Int).SetString(strings.Repeat("9", streams.MaxDigits), 10)
	add("max", `"int"`, streams.Slot{Bits: math.MaxInt32})
	add("min", `"int"`, streams.Slot{Bits: math.MinInt32})
	add("long", `"long"`, streams.Slot{Bits: math.MinInt64})
	add("nan", `"double"`, streams.Slot{Bits: 0x7ff0_0000_0000_0001})
	add("nanf", `"float"`, streams.Slot{Bits: 0x7ff8_0000_0000_0000})
	add("inf", `"float"`, streams.Slot{Bits: int64(math.Float64bits(math.Inf(-1)))})
	add("zero", `"float"`, streams.Slot{Bits: math.MinInt64}) // -0
	add("dec", `{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, streams.Slot{Bits: -9999})
	add("dec38", `{"type":"bytes","logicalType":"decimal","precision":50,"scale":0}`, streams.Slot{Str: string(twosComplement(most))})
	add("neg38", `{"type":"bytes","logicalType":"decimal","precision":38,"scale":0}`, streams.Slot{Str: string(twosComplement(new(big.Int).Neg(most)))})
	add("tight", `{"type":"fixed","name":"D","size":2,"logicalType":"decimal","precision":4,"scale":0}`, streams.Slot{Bits: -9999})
	add("id", `{"type":"fixed","name":"ID","size":16,"logicalType":"uuid"}`, streams.Slot{Str: "0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"})
	add("e", `{"type":"enum","name":"E","symbols":["A","B"]}`, streams.Slot{Str: "B"})
	add("first", logicalOf("long", "timestamp-nanos"), streams.Slot{Bits: minInstant})
	add("last", logicalOf("long", "timestamp-nanos"), streams.Slot{Bits: maxInstant})
	add("day", logicalOf("int", "date"), streams.Slot{Bits: minInstant})
	add("empty", `"string"`, streams.Slot{})
	add("b", `"boolean"`, streams.Slot{Bits: 1})
	add("by", `"bytes"`, streams.Slot{Str: "\xff"})
	add("fix", `{"type":"fixed","name":"F","size":3}`, streams.Slot{Str: "\xff\x00a"})
	c := codecOf(t, "S.avsc", rec("S", fields...))
	w, err := c.Writer("S", names)
	if err != nil {
		t.Fatal(err)
	}
	if r, err = c.Reader("S", names); err != nil {
		t.Fatal(err)
	}
	return w, r, slots
}

func TestWriteAtTheLimits(t *testing.T) {
	w, r, slots := limits(t)
	value, err := w.Write(nil, slots)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]streams.Slot, len(slots))
	if err := r.Read(value, got); err != nil {
		t.Fatal(err)
	}
	for k := range slots {
		if got[k] != slots[k] {
			t.Errorf("slot %d: %+v is read as %+v", k, slots[k], got[k])
		}
	}
}

// TestWriteLosesTheOffset: it is the one thing of a slot that a value does not keep.
func TestWriteLosesTheOffset(t *testing.T) {
	c := codecOf(t, "S.avsc", rec("S", field("t", `["null",`+logicalOf("long", "local-timestamp-millis")+`]`)))
	w, err := c.Writer("S", []string{"t"})
	if err != nil {
		t.Fatal(err)
	}
	value, err := w.Write(nil, []streams.Slot{{Bits: 1_500_000_000, Offset: 7200}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read(c, "S", value, "t"); err != nil || got[0] != (streams.Slot{Bits: 1_500_000_000}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestWriteTrimsCoefficients: a coefficient may come with more bytes than it needs.
func TestWriteTrimsCoefficients(t *testing.T) {
	c := codecOf(t, "S.avsc", rec("S", field("d", `["null",`+decimal+`]`)))
	w, err := c.Writer("S", []string{"d"})
	if err != nil {
		t.Fatal(err)
	}
	for long, short := range map[string]string{strings.Repeat("\x00", 40) + "\x80": "\x00\x80", strings.Repeat("\xff", 40): "\xff", "\x00": "\x00", "\xff\x7f": "\xff\x7f"} {
		value, err := w.Write(nil, []streams.Slot{{Str: long}})
		if want := appendText([]byte{2}, short); err != nil || !bytes.Equal(value[headerSize:], want) {
			t.Errorf("%x is written as %x, %v; want %x", long, value[headerSize:], err, want)
		}
	}
}

func TestWriteDoesNotAllocate(t *testing.T) {
	w, _, slots := limits(t)
	dst := make([]byte, 0, 1000)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := w.Write(dst, slots); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestWriteConcurrently is for the race detector.
func TestWriteConcurrently(t *testing.T) {
	w, _, slots := limits(t)
	want, err := w.Write(nil, slots)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				if got, err := w.Write(nil, slots); err != nil || !bytes.Equal(got, want) {
					t.Errorf("got %x, %v", got, err)
				}
			}
		})
	}
	group.Wait()
}

// FuzzWrite fills slots from noise: 1 byte of flags, 8 of bits, then a text up to
// the next zero.
func FuzzWrite(f *testing.F) {
	w, r, good := limits(f)
	var seed []byte
	for _, s := range good {
		seed = append(append(binary.LittleEndian.AppendUint64(append(seed, 0), uint64(s.Bits)), s.Str...), 0)
	}
	f.Add(seed)
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, noise []byte) {
		slots, got := make([]streams.Slot, len(good)), make([]streams.Slot, len(good))
		for k := range slots {
			slots[k].Null = true
			if len(noise) >= 9 {
				text, rest, _ := bytes.Cut(noise[9:], []byte{0})
				slots[k] = streams.Slot{Null: noise[0]&1 != 0, Offset: int32(noise[0]), Bits: int64(binary.LittleEndian.Uint64(noise[1:])), Str: string(text)}
				noise = rest
			}
		}
		value, err := w.Write([]byte("before"), slots)
		if err != nil {
			if string(value) != "before" {
				t.Fatalf("%q was appended", value)
			}
			return
		}
		if err := r.Read(value[len("before"):], got); err != nil {
			t.Fatalf("%+v was written as %x, which cannot be read: %v", slots, value, err)
		}
		again, err := w.Write([]byte("before"), got)
		if err != nil || !bytes.Equal(again, value) {
			t.Fatalf("%+v was written as %x, read as %+v and written as %x, %v", slots, value, got, again, err)
		}
	})
}
