package avro

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/millrace/millrace/streams"
)

func TestReaderRefusesPaths(t *testing.T) {
	c := codecOf(t, "A.avsc", rec("A", field("amount", `"int"`), field("in", rec("In", field("x", `"int"`)))))
	for path, want := range map[string]string{
		"amout":    "did you mean amount?",
		"zzzzzz":   "there are amount, in",
		"in":       "not a single value",
		"amount.x": "is looked up in a int",
		"in.y":     `unknown field "y"`,
	} {
		_, err := c.Reader("A", []string{path})
		wantError(t, err, "data."+path, want)
	}
	_, err := c.Reader("B", nil)
	if !errors.Is(err, ErrUnknownType) {
		t.Error(err)
	}
}

func TestReadErrors(t *testing.T) {
	a := rec("A", field("n", `"int"`), field("s", `"string"`))
	other := rec("Other", field("n", `"int"`))
	c := codecOf(t, "A.avsc", a, "Other.avsc", other, "former/A.1.avsc", rec("A", field("n", `"string"`), field("s", `"string"`)), "former/A.2.avsc", rec("A", field("s", `"string"`)))
	good := valueOf(t, a, map[string]any{"n": 1, "s": "text"})
	unknown := bytes.Clone(good)
	unknown[3] ^= 1
	badText := bytes.Clone(good)
	badText[len(badText)-1] = 0xff
	for name, x := range map[string]struct {
		value []byte
		want  []string
	}{
		"empty":               {nil, []string{"reading A", "it has 0 bytes"}},
		"not framed":          {[]byte(`{"n":1,"s":"text"}`), []string{"it begins with 7B 22, not with C3 01"}},
		"unknown fingerprint": {unknown, []string{"unknown schema fingerprint", "embedded schemas", "was the schema edited? keep the former one, as former/A.4913ce0a52ca4848.avsc"}},
		"another record":      {valueOf(t, other, map[string]any{"n": 1}), []string{"is a Other (Other.avsc)", "A.avsc is of A"}},
		"ends early":          {good[:len(good)-1], []string{"written with A.avsc", "data.s: at byte 12 of 15", "ends early"}},
		"trailing bytes":      {append(bytes.Clone(good), 0), []string{"at byte 16 of 17", "left over"}},
		"not UTF-8":           {badText, []string{"data.s", "not UTF-8"}},
		"no way to read":      {valueOf(t, rec("A", field("n", `"string"`), field("s", `"string"`)), map[string]any{"n": "1", "s": ""}), []string{"former/A.1.avsc", "data.n: the writer's string cannot be read as int"}},
		"no default":          {valueOf(t, rec("A", field("s", `"string"`)), map[string]any{"s": "1"}), []string{"data.n: the writer has no such field and the reader no default"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(c, "A", x.value, "n", "s")
			wantError(t, err, x.want...)
		})
	}
	if _, err := read(c, "A", unknown, "n"); !errors.Is(err, ErrUnknownSchema) {
		t.Errorf("not ErrUnknownSchema: %v", err)
	}
}

// TestReadSwitchesSchemas reads values of two writers in turn, by name and by
// alias, with one reader.
func TestReadSwitchesSchemas(t *testing.T) {
	old, now := rec("Old", field("n", `"int"`)), `{"type":"record","name":"Now","aliases":["Old"],"fields":[{"name":"n","type":"long"},{"name":"u","type":"int","default":9}]}`
	c := codecOf(t, "E.avsc", now, "former/E.avsc", old)
	r, err := c.Reader("E", []string{"n", "u"})
	if err != nil {
		t.Fatal(err)
	}
	slots := make([]streams.Slot, 2)
	for i := range int64(6) {
		value, u := valueOf(t, now, map[string]any{"n": i, "u": int32(i)}), i
		if i%2 == 0 {
			value, u = valueOf(t, old, map[string]any{"n": int32(i)}), 9
		}
		if err := r.Read(value, slots); err != nil || slots[0].Int() != i || slots[1].Int() != u {
			t.Fatalf("%d: got %v, %v", i, slots, err)
		}
	}
}

// TestInstantsAreConverted is where we go further than Avro, whose readers take
// a number of milliseconds for one of microseconds.
func TestInstantsAreConverted(t *testing.T) {
	at := func(unit string) string {
		return rec("A", field("t", `{"type":"long","logicalType":"timestamp-`+unit+`"}`), field(unit, `"int"`, `"default":0`))
	}
	c := codecOf(t, "A.avsc", at("micros"), "former/A.avsc", at("millis"))
	slots, err := read(c, "A", valueOf(t, at("millis"), map[string]any{"t": time.UnixMilli(1700000000123)}), "t")
	if err != nil || slots[0].Bits != 1700000000123_000_000 {
		t.Errorf("got %v, %v", slots, err)
	}
}

func TestScaleMustNotChange(t *testing.T) {
	at := func(scale string) string {
		return rec("A", field("d", `{"type":"bytes","logicalType":"decimal","precision":9,"scale":`+scale+`}`), field("s"+scale, `"int"`, `"default":0`))
	}
	c := codecOf(t, "A.avsc", at("3"), "former/A.avsc", at("2"))
	_, err := read(c, "A", valueOf(t, at("2"), map[string]any{"d": rat("1.5")}), "d")
	wantError(t, err, "data.d", "decimal(9, 2) cannot be read as decimal(9, 3)", "scale is never edited")
}

func TestTimesOfDayAreNotConverted(t *testing.T) {
	for _, to := range []string{"time-micros", "timestamp-millis"} {
		was, is := rec("A", field("t", `{"type":"int","logicalType":"time-millis"}`)), rec("A", field("t", `{"type":"long","logicalType":"`+to+`"}`))
		_, err := read(codecOf(t, "A.avsc", is, "former/A.avsc", was), "A", valueOf(t, was, map[string]any{"t": time.Second}), "t")
		wantError(t, err, "data.t", "time-millis cannot be read as "+to)
	}
}

// TestOnlyWantedPathsAreResolved: what nobody wants may have become anything.
func TestOnlyWantedPathsAreResolved(t *testing.T) {
	id := field("id", `{"type":"fixed","name":"ID","size":16,"logicalType":"uuid"}`)
	was, is := rec("A", id, field("n", `"string"`)), rec("A", id, field("n", `"int"`))
	text := "0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
	slots, err := read(codecOf(t, "A.avsc", is, "former/A.avsc", was), "A", valueOf(t, was, map[string]any{"id": text, "n": "x"}), "id")
	if err != nil || slots[0].Str != text {
		t.Errorf("got %v, %v", slots, err)
	}
}

func TestRecordsWithinMustHaveTheSameName(t *testing.T) {
	at := func(name string) string { return rec("A", field("in", rec(name, field("x", `"int"`)))) }
	_, err := read(codecOf(t, "A.avsc", at("New"), "former/A.avsc", at("Old")), "A", valueOf(t, at("Old"), map[string]any{"in": map[string]any{"x": 1}}), "in.x")
	wantError(t, err, "data.in", "record Old is neither the reader's New nor one of its aliases")
}
