package avro

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/linkedin/goavro/v2"
	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// codecOf opens schemas given as file, text, file, text.
func codecOf(t testing.TB, files ...string) *Codec {
	t.Helper()
	c, err := openFiles(files...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func openFiles(files ...string) (*Codec, error) {
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return Open(fsys)
}

// value is a value as any producer writes it: framed, by twmb/avro.
func valueOf(t testing.TB, schema string, v any) []byte {
	t.Helper()
	b, err := avro.MustParse(schema).AppendSingleObject(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(c *Codec, eventType string, value []byte, paths ...string) ([]streams.Slot, error) {
	r, err := c.Reader(eventType, paths)
	if err != nil {
		return nil, err
	}
	slots := make([]streams.Slot, len(paths))
	return slots, r.Read(value, slots)
}

func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error is\n%v\nwant %q in it", err, part)
		}
	}
}

func TestOpenNamesEveryBadFile(t *testing.T) {
	_, err := openFiles(
		"Good.avsc", rec("Good", field("a", `"int"`)),
		"A.avsc", `{"type":"record","name":"A"`,
		"former/B.avsc", rec("B", field("a", `"nothing"`)),
		"C.avsc", `"string"`,
		"readme.txt", "not a schema",
	)
	wantError(t, err, "A.avsc: ", "former/B.avsc: ", "C.avsc: the schema is a string")
	if strings.Contains(err.Error(), "Good") || strings.Contains(err.Error(), "readme") {
		t.Errorf("the error names a file that is fine: %v", err)
	}
}

func TestOpenRefusesWhatGoavroRefuses(t *testing.T) {
	noScale := `{"type":"bytes","logicalType":"decimal","precision":4}`
	_, err := openFiles("A.avsc", rec("A", field("a", noScale), field("b", noScale)))
	wantError(t, err, "A.avsc", "goavro cannot parse")
	_, err = openFiles("B.avsc", rec("B", field("a", `["long","null"]`, `"default":null`)))
	wantError(t, err, "B.avsc", "goavro refuses")
}

// TestOpenRefusesADisagreement is about the one known case: goavro writes large
// sizes with an exponent.
func TestOpenRefusesADisagreement(t *testing.T) {
	_, err := openFiles("A.avsc", rec("A", field("a", `{"type":"fixed","name":"F","size":2000000}`)))
	wantError(t, err, "A.avsc", "disagree about the fingerprint")
}

func TestOpenRefusesOneFingerprintWithTwoMeanings(t *testing.T) {
	money := func(scale string) string {
		return rec("M", field("a", `{"type":"bytes","logicalType":"decimal","precision":12,"scale":`+scale+`}`))
	}
	_, err := openFiles("M.avsc", money("2"), "former/M.1.avsc", money("4"))
	wantError(t, err, "M.avsc", "former/M.1.avsc", "logical types")
	if _, err := openFiles("M.avsc", money("2"), "former/M.1.avsc", money("2")); err != nil {
		t.Error(err)
	}
}

func TestOpenFolderSaysWhatIsWrongWithIt(t *testing.T) {
	dir := t.TempDir()
	_, err := OpenFolder(filepath.Join(dir, "none"))
	wantError(t, err, "opening schema folder", "none")
	file := filepath.Join(dir, "A.avsc")
	if err := os.WriteFile(file, []byte(rec("A")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = OpenFolder(file)
	wantError(t, err, "it is a file")
	c, err := OpenFolder(dir)
	if err != nil || strings.Join(c.EventTypes(), " ") != "A" {
		t.Errorf("got %v, %v", c, err)
	}
}

func TestTypes(t *testing.T) {
	c := codecOf(t, "FineCreated.v2.avsc", rec("F",
		field("s", `"string"`, `"default":"<x>"`), field("e", `{"type":"enum","name":"E","symbols":["A"]}`), field("u", `{"type":"string","logicalType":"uuid"}`),
		field("u16", `{"type":"fixed","name":"U","size":16,"logicalType":"uuid"}`), field("b", `"boolean"`), field("i", `"int"`), field("l", `["null","long"]`, `"default":null`),
		field("d", decimal, `"default":"\u00ff"`), field("t", `{"type":"long","logicalType":"local-timestamp-nanos"}`), field("day", `{"type":"int","logicalType":"date"}`),
		field("tod", `{"type":"int","logicalType":"time-millis"}`), field("f", `"float"`, `"default":1.50`), field("by", `"bytes"`), field("r", rec("R", field("x", `["string","null"]`, `"default":"y"`))),
		field("li", `{"type":"array","items":["null","int"]}`), field("m", `{"type":"map","values":"string"}`), field("un", `["null","int","string"]`, `"default":null`), field("rr", `["null","R"]`), field("self", `["null","F"]`)))
	got, err := c.Types("FineCreated.v2")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(`s:string="<x>" e:string u:string u16:string b:bool i:int l:int?=null d:decimal(30,2)="ÿ" t:time day:time tod:int f:float=1.5 by:bytes
		r:record{x} li:listofint? m:mapofstring un:union?=null rr:record{x}? self:union?`)
	for i, f := range got.Fields {
		text := f.Name + ":" + strings.ReplaceAll(f.Type.String(), " ", "")
		if f.Default != "" {
			text += "=" + f.Default
		}
		if text != want[i] {
			t.Errorf("got %s, want %s", text, want[i])
		}
	}
	if len(got.Fields) != len(want) {
		t.Errorf("got %d fields", len(got.Fields))
	}
}

func TestTypesOfAnUnknownType(t *testing.T) {
	c := codecOf(t, "FineCreated.avsc", rec("F"), "FineSent.avsc", rec("G"))
	for _, name := range []string{"FineCreate", "finecreated", "Nothing"} {
		_, err := c.Types(name)
		if !errors.Is(err, ErrUnknownType) {
			t.Errorf("%s: %v", name, err)
		}
		wantError(t, err, map[bool]string{true: "add Nothing.avsc", false: "did you mean FineCreated?"}[name == "Nothing"])
	}
}

// doubling is a schema of few lines whose tree has 2^levels leaves.
func doubling(levels int, leaf string) string {
	schema := rec("R0", field("a", leaf))
	for i := 1; i <= levels; i++ {
		schema = rec(fmt.Sprintf("R%d", i), field("a", schema), field("b", fmt.Sprintf(`"R%d"`, i-1)))
	}
	return schema
}

func TestOpenRefusesATypeThatDoubles(t *testing.T) {
	_, err := openFiles("Big.avsc", doubling(40, `"int"`))
	wantError(t, err, "Big.avsc", "10,000 fields")
}

// TestSkipWhatDoubles holds that such a schema is neither expanded when its
// values are passed, nor is time spent on records without bytes.
func TestSkipWhatDoubles(t *testing.T) {
	for _, leaf := range []string{`"int"`, `"string"`, `"null"`} {
		schema := rec("A", field("x", `"int"`), field("deep", doubling(40, leaf)))
		c := codecOf(t, "A.avsc", rec("A", field("x", `"int"`)), "former/A.avsc", schema)
		w, err := parseSchema("A.avsc", []byte(schema))
		if err != nil {
			t.Fatal(err)
		}
		value := append(binary.LittleEndian.AppendUint64([]byte{0xC3, 1}, w.fingerprint), 2, 0, 0, 0)
		_, err = read(c, "A", value, "x")
		if want := leaf != `"null"`; want != errors.Is(err, errShort) {
			t.Errorf("%s: %v", leaf, err)
		}
	}
}

func TestFingerprintsOfBothLibrariesAgree(t *testing.T) {
	for _, p := range pairs(t) {
		for _, text := range []string{p.writer, p.reader} {
			s, err := parseSchema("x.avsc", []byte(text))
			if err != nil {
				t.Fatalf("%s: %v", p.name, err)
			}
			if got := binary.BigEndian.Uint64(s.twmb.Fingerprint(avro.NewRabin())); got != s.goavro.Rabin {
				t.Errorf("%s: twmb/avro says %016x, goavro %016x", p.name, got, s.goavro.Rabin)
			}
		}
	}
}

// TestReadWhatGoavroFramed reads a value with the fingerprint that goavro gives
// to a schema with logical types, which is not that of other libraries.
func TestReadWhatGoavroFramed(t *testing.T) {
	text := rec("A", field("t", `{"type":"long","logicalType":"timestamp-millis"}`))
	g, err := goavro.NewCodec(text)
	if err != nil {
		t.Fatal(err)
	}
	if g.Rabin == binary.BigEndian.Uint64(avro.MustParse(text).Fingerprint(avro.NewRabin())) {
		t.Error("goavro agrees by itself: its own fingerprint need not be indexed any more")
	}
	value, err := g.SingleFromNative(nil, map[string]any{"t": time.UnixMilli(1500)})
	if err != nil {
		t.Fatal(err)
	}
	slots, err := read(codecOf(t, "A.avsc", text), "A", value, "t")
	if err != nil || slots[0].Bits != 1_500_000_000 {
		t.Errorf("got %v, %v", slots, err)
	}
}

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
		"unknown fingerprint": {unknown, []string{"unknown schema fingerprint", "embedded schemas", "was the schema edited? keep the former one"}},
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
	was, is := rec("A", field("t", `{"type":"int","logicalType":"time-millis"}`)), rec("A", field("t", `{"type":"long","logicalType":"time-micros"}`))
	_, err := read(codecOf(t, "A.avsc", is, "former/A.avsc", was), "A", valueOf(t, was, map[string]any{"t": time.Second}), "t")
	wantError(t, err, "data.t", "time-millis cannot be read as time-micros")
}

func TestRecordsWithinMustHaveTheSameName(t *testing.T) {
	at := func(name string) string { return rec("A", field("in", rec(name, field("x", `"int"`)))) }
	_, err := read(codecOf(t, "A.avsc", at("New"), "former/A.avsc", at("Old")), "A", valueOf(t, at("Old"), map[string]any{"in": map[string]any{"x": 1}}), "in.x")
	wantError(t, err, "data.in", "record Old is neither the reader's New nor one of its aliases")
}

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
	w, err := c.Writer("R")
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

func TestDecode(t *testing.T) {
	text := rec("A", field("d", decimal), field("t", `{"type":"long","logicalType":"timestamp-millis"}`), field("old", `{"type":"long","logicalType":"timestamp-micros"}`), field("day", `["null",{"type":"int","logicalType":"date"}]`),
		field("b", `"bytes"`), field("_u0031_st_u0020_name", `"string"`), field("m", `{"type":"map","values":"double"}`), field("u", `["null","string",`+rec("ns.R", field("x", `"int"`))+`]`),
		field("l", `{"type":"array","items":["null","ns.R"]}`), field("id", `{"type":"fixed","name":"ID","size":16,"logicalType":"uuid"}`))
	at := time.Date(2013, 5, 6, 7, 8, 9, 250_000_000, time.UTC)
	value := valueOf(t, text, map[string]any{
		"d": rat("-12345678901234567890.50"), "t": at, "old": time.Date(1901, 2, 3, 4, 5, 6, 789000, time.UTC), "day": at, "b": []byte{1, 2, 255}, "_u0031_st_u0020_name": "n", "m": map[string]any{"_u0031_": 0.1},
		"u": map[string]any{"ns.R": map[string]any{"x": 4}}, "l": []any{nil, map[string]any{"x": 5}}, "id": "0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
	})
	name, data, err := codecOf(t, "A.avsc", text).Decode(value)
	if err != nil || name != "A" {
		t.Fatal(name, err)
	}
	got, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"1st name":"n","b":"AQL/","d":-12345678901234567890.5,"day":"2013-05-06","id":"0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b","l":[null,{"x":5}],"m":{"_u0031_":0.1},"old":"1901-02-03T04:05:06.000789Z","t":"2013-05-06T07:08:09.25Z","u":{"x":4}}`
	if string(got) != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

// TestDecodeShowsAHugeDecimalAsBytes: making digits of one takes time that grows
// with its square.
func TestDecodeShowsAHugeDecimalAsBytes(t *testing.T) {
	text := rec("A", field("d", decimal))
	c := codecOf(t, "A.avsc", text)
	value := valueOf(t, rec("A", field("d", `"bytes"`)), map[string]any{"d": bytes.Repeat([]byte{1}, 1<<20)})
	_, data, err := c.Decode(value)
	if _, isText := data.(map[string]any)["d"].(string); err != nil || !isText {
		t.Errorf("got %T, %v", data.(map[string]any)["d"], err)
	}
}

func FuzzDecode(f *testing.F) {
	var codecs []*Codec
	for k, p := range pairs(f) {
		c := compilePair(f, p)
		codecs = append(codecs, c.codec)
		for _, b := range c.payloads(f) {
			f.Add(uint8(k), append(bytes.Clone(c.header), b...))
		}
	}
	f.Fuzz(func(t *testing.T, k uint8, value []byte) {
		_, data, err := codecs[int(k)%len(codecs)].Decode(value)
		if err != nil {
			return
		}
		if _, err := json.Marshal(data); err != nil {
			t.Errorf("%x: %v", value, err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	for _, p := range pairs(f) {
		f.Add(p.writer)
	}
	f.Add(`{"type":"record","name":"A","fields":[{"name":"a","type":"bytes","logicalType":"decimal","precision":"x"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := openFiles("A.avsc", text)
		if err != nil {
			return
		}
		if _, err := c.Writer("A"); err != nil {
			t.Error(err)
		}
		_, _ = read(c, "A", append([]byte{0xC3, 1}, make([]byte, 8)...))
	})
}
