package avro

import (
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

// TestOpenTakesWhatGoavroRefuses: goavro panics at the second decimal without a
// scale, and knows defaults of fewer branches and characters than Avro.
func TestOpenTakesWhatGoavroRefuses(t *testing.T) {
	noScale := `{"type":"bytes","logicalType":"decimal","precision":4}`
	for name, schema := range map[string]string{
		"no scale": rec("A", field("a", noScale), field("b", noScale, `"default":"\u0007"`)),
		"branch":   rec("A", field("a", `"int"`), field("b", `["long","null"]`, `"default":null`)),
		"fixed":    rec("A", field("a", `"int"`), field("b", `{"type":"fixed","name":"F","size":2}`, `"default":"\u00ffa"`)),
	} {
		if _, err := parseGoavro(schema); err == nil {
			t.Errorf("%s: goavro takes it", name)
		}
		c := codecOf(t, "A.avsc", schema)
		w, err := c.JSONWriter("A")
		if err != nil {
			t.Fatal(err)
		}
		value, err := w.EncodeJSON(nil, json.RawMessage(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		slots, err := read(c, "A", value, "a", "b")
		if err != nil || slots[0].Int() != 1 || !slots[1].Null && slots[1].Int() != 7 && slots[1].Str != "\xffa" {
			t.Errorf("%s: got %+v, %v", name, slots, err)
		}
	}
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

// TestOpenRefusesAliasesThatCollide: one field of the writer would be two of the
// reader, of which only one were read.
func TestOpenRefusesAliasesThatCollide(t *testing.T) {
	for _, schema := range []string{
		rec("A", field("a", `"int"`), field("b", `"int"`, `"aliases":["a"]`)),
		rec("A", field("b", `"int"`, `"aliases":["x"]`), field("c", `"int"`, `"aliases":["x"]`)),
	} {
		_, err := openFiles("A.avsc", schema)
		wantError(t, err, "A.avsc", "collides with another field name or alias")
	}
}

func TestOpenFolderSaysWhatIsWrongWithIt(t *testing.T) {
	dir := t.TempDir()
	_, err := OpenFolder(filepath.Join(dir, "none"))
	wantError(t, err, "there is no folder", "none")
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
		if _, err := c.JSONWriter("A"); err != nil {
			t.Error(err)
		}
		_, _ = read(c, "A", append([]byte{0xC3, 1}, make([]byte, 8)...))
	})
}

// TestTypesSayHowFieldsAreRead: none of these is in the fingerprint of the schema,
// and each decides what is read.
func TestTypesSayHowFieldsAreRead(t *testing.T) {
	e := `{"type":"enum","name":"E","symbols":["B","A"],"default":"B"}`
	c := codecOf(t, "F.avsc", rec("F",
		field("plain", `["null","string"]`, `"default":null`), field("was", `"long"`, `"aliases":["b","a"]`),
		field("at", `{"type":"long","logicalType":"timestamp-millis"}`), field("at2", `["null",{"type":"long","logicalType":"timestamp-micros"}]`),
		field("e", e), field("e2", `["null","E"]`), field("f", `"float"`), field("d", `"double"`)))
	got, err := c.Types("F")
	if err != nil {
		t.Fatal(err)
	}
	var readings []string
	for _, f := range got.Fields {
		readings = append(readings, f.Name+": "+f.Reading)
	}
	want := "plain: |was: aliases b a|at: unit 1ms|at2: unit 1µs|e: symbol B of A B|e2: symbol B of A B|f: 32 bits|d: "
	if text := strings.Join(readings, "|"); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// TestSymbolsDecideWhatIsRead: with a default, a symbol that the reader no longer
// has, or does not have yet, becomes another one without an error, so symbols
// are part of how a field is read. Without one it is an error of the record, and
// so they are not: a schema may get new symbols.
func TestSymbolsDecideWhatIsRead(t *testing.T) {
	enum := func(more, symbols string) string {
		return rec("F", field("e", `{"type":"enum","name":"E","symbols":[`+symbols+`]`+more+`}`))
	}
	const all, fewer = `"A","B","C"`, `"B","A"`
	for more, want := range map[string]struct{ symbol, reading string }{
		`,"default":"B"`: {"B", "symbol B of A B"},
		"":               {"", ""},
	} {
		written := enum(more, all)
		c := codecOf(t, "F.avsc", enum(more, fewer), "former/F.avsc", written)
		slots, err := read(c, "F", valueOf(t, written, map[string]any{"e": "C"}), "e")
		if slots[0].Str != want.symbol || (want.symbol == "") != errors.Is(err, errSymbol) {
			t.Errorf("default %q: got %v, %v", more, slots, err)
		}
		now, _ := c.Types("F")
		former, _ := codecOf(t, "F.avsc", written).Types("F")
		if got := now.Fields[0].Reading; got != want.reading || (got == former.Fields[0].Reading) != (want.reading == "") {
			t.Errorf("default %q: read by %q, with all symbols by %q", more, got, former.Fields[0].Reading)
		}
	}
}
