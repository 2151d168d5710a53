package avro

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/avro"
	"pgregory.net/rapid"
)

var sortedScalars = slices.Sorted(maps.Keys(drawnScalars))

// readsAsTheOracle makes up two schemas, paths and values, and compares: whole
// values, every prefix of them, damaged ones, and what is no value at all.
func readsAsTheOracle(t *rapid.T) {
	writer, readers := drawPair(t)
	codec, err := openFiles("Event.avsc", readers, "former/Event.avsc", writer)
	if err != nil && strings.Contains(err.Error(), "other logical types") {
		return // nothing else has changed, so the fingerprint has not
	}
	if err != nil {
		t.Fatalf("%s\n%s\n%v", writer, readers, err)
	}
	w := avro.MustParse(writer)
	oracle, err := avro.Resolve(w, avro.MustParse(readers))
	if err != nil {
		t.Fatalf("%s\n%s\n%v", writer, readers, err)
	}
	p := pair{name: writer + "\n" + readers, writer: writer, reader: readers}
	for _, path := range scalarPaths(codec.types["Event"], "") {
		if rapid.IntRange(0, 3).Draw(t, "wanted") > 0 {
			p.paths = append(p.paths, path)
		}
	}
	r, err := codec.Reader("Event", p.paths)
	if err != nil {
		t.Fatal(err)
	}
	c := &compiled{p, codec, r.(*reader), oracle, avro.MustParse(string(w.Canonical())), headerOf(w)}
	s, err := parseSchema("w.avsc", []byte(writer))
	if err != nil {
		t.Fatal(err)
	}
	v := &valueDrawer{t, s}
	for range 3 {
		payload := v.value(nil, s.root, 6)
		c.check(t, payload)
		c.check(t, append(bytes.Clone(payload), 0))
		for k := range min(len(payload), 300) {
			c.check(t, payload[:k])
		}
		if len(payload) > 0 {
			for range 20 {
				damaged := bytes.Clone(payload)
				damaged[rapid.IntRange(0, len(payload)-1).Draw(t, "at")] ^= rapid.Byte().Draw(t, "flip")
				c.check(t, damaged)
			}
		}
		c.check(t, rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "noise"))
	}
}

func TestReadAnySchemaAsTheOracle(t *testing.T) { rapid.Check(t, readsAsTheOracle) }

// FuzzSchemas looks for schemas, not for values.
func FuzzSchemas(f *testing.F) { f.Fuzz(rapid.MakeFuzz(readsAsTheOracle)) }

// TestWhatIsShownCanBeWritten makes up schemas and values, shows them as JSON and
// writes that: it is shown as the same again.
func TestWhatIsShownCanBeWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// JSON does not say which branch of a wide union a value is of
		schema := (&schemaDrawer{t: t}).record(4).schema(map[string]bool{})
		codec, err := openFiles("Event.avsc", schema)
		if err != nil {
			t.Fatal(err)
		}
		s := codec.readers["Event"]
		w, err := codec.JSONWriter("Event")
		if err != nil {
			t.Fatal(err)
		}
		v := &valueDrawer{t, s}
		value := v.value(binary.LittleEndian.AppendUint64([]byte{0xC3, 1}, s.fingerprint), s.root, 6)
		shown := showJSON(t, codec, value)
		again, err := w.EncodeJSON(nil, shown)
		if err != nil && notFinite.MatchString(err.Error()) {
			return // JSON has no such number
		}
		if err != nil {
			t.Fatalf("%s\n%s\n%v", schema, shown, err)
		}
		if same := showJSON(t, codec, again); !bytes.Equal(same, shown) {
			t.Fatalf("%s\n%s\nis written as\n%s", schema, shown, same)
		}
	})
}

var notFinite = regexp.MustCompile(`"(NaN|[+-]Inf)" does not fit`)

func showJSON(t *rapid.T, c *Codec, value []byte) json.RawMessage {
	_, data, err := c.Decode(value)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
