package avro

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/avro"
	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams"
)

var sortedScalars = slices.Sorted(maps.Keys(drawnScalars))

// scalarPaths are the paths of a type that lead to a scalar.
func scalarPaths(t streams.Type, prefix string) (paths []string) {
	for _, f := range t.Fields {
		switch {
		case f.Type.Kind.Scalar():
			paths = append(paths, prefix+f.Name)
		case f.Type.Kind == streams.KindRecord:
			paths = append(paths, scalarPaths(f.Type, prefix+f.Name+".")...)
		}
	}
	return paths
}

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
