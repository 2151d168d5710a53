package compaction

import (
	"maps"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/state"
)

// former is the schema of the state as it was once: with a remark, and payments as an
// int.
const former = `{"type":"record","name":"Order","fields":[
	{"name":"remark","type":"string","default":""},
	{"name":"payments","type":["null","int"],"default":null},
	{"name":"closed","type":"boolean","default":false}]}`

// orderState writes a state of the schemas.
func orderState(t *testing.T, files fstest.MapFS, data string) []byte {
	t.Helper()
	codec, err := avro.Open(files)
	if err != nil {
		t.Fatal(err)
	}
	w, err := codec.JSONWriter("Order")
	if err != nil {
		t.Fatal(err)
	}
	value, err := w.EncodeJSON(nil, []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// TestSameStates: states of one version of the schema are compared as they stand
// there, those of two by what they say.
func TestSameStates(t *testing.T) {
	before := fstest.MapFS{"Order.avsc": {Data: []byte(former)}}
	now := maps.Clone(schemas)
	now["former/Order.1.avsc"] = before["Order.avsc"]
	replay := replayOf(t, now, orderFold, nil, nil)
	for _, c := range []struct {
		what string
		a, b []byte
		same bool
	}{
		{"one version", orderState(t, now, `{"payments":2}`), orderState(t, now, `{"payments":2}`), true},
		{"one version, others", orderState(t, now, `{"payments":2}`), orderState(t, now, `{"payments":3}`), false},
		{"the former version", orderState(t, before, `{"remark":"a"}`), orderState(t, before, `{"remark":"b"}`), false},
		{"two versions", orderState(t, before, `{"payments":2,"remark":"a"}`), orderState(t, now, `{"payments":2}`), true},
		{"two versions, others", orderState(t, before, `{"payments":2}`), orderState(t, now, `{"payments":3}`), false},
		{"ended both", nil, nil, true},
		{"ended one", nil, orderState(t, now, `{}`), false},
	} {
		if same, err := replay.Same(c.a, c.b); err != nil || same != c.same {
			t.Errorf("%s: %v, %v", c.what, same, err)
		}
	}
	damaged := orderState(t, before, `{"remark":"a"}`)
	if _, err := replay.Same(damaged[:len(damaged)-1], orderState(t, now, `{}`)); err == nil {
		t.Error("a state that ends early was compared")
	}
}

// tally is a state in Go, of which there was a version without notes.
type tally struct {
	Counts map[string]int64 `avro:"counts"`
	Note   *string          `avro:"note"`
}

// TestSameStructs: states of a fold in Go are compared as structs, for a map stands
// there in any order, and streams that rest are of a former schema.
func TestSameStructs(t *testing.T) {
	const counts = `{"name":"counts","type":{"type":"map","values":"long"}}`
	now := fstest.MapFS{
		"former/Order.1.avsc": {Data: []byte(`{"type":"record","name":"Order","fields":[` + counts + `]}`)},
		"Order.avsc":          {Data: []byte(`{"type":"record","name":"Order","fields":[` + counts + `,{"name":"note","type":["null","string"],"default":null}]}`)},
	}
	before := fstest.MapFS{"Order.avsc": now["former/Order.1.avsc"]}
	replay := replayOf(t, now, kindFold, map[string]Kind{"orders-in-go": NewTyped[tally]("1").Kind()}, nil)
	some := orderState(t, now, `{"counts":{}}`)[:header]
	ab := append(slices.Clone(some), "\x04\x02a\x02\x02b\x04\x00\x00"...)
	ba := append(slices.Clone(some), "\x04\x02b\x04\x02a\x02\x00\x00"...)
	for _, c := range []struct {
		what string
		a, b []byte
		same bool
	}{
		{"another order", ab, ba, true},
		{"other numbers", ab, orderState(t, now, `{"counts":{"a":2,"b":1}}`), false},
		{"two versions", orderState(t, before, `{"counts":{"a":1}}`), orderState(t, now, `{"counts":{"a":1}}`), true},
		{"two versions, others", orderState(t, before, `{"counts":{"a":1}}`), orderState(t, now, `{"counts":{"a":1},"note":"x"}`), false},
	} {
		if same, err := replay.Same(c.a, c.b); err != nil || same != c.same {
			t.Errorf("%s: %v, %v", c.what, same, err)
		}
	}
	for _, states := range [][2][]byte{{ab, ba[:len(ba)-1]}, {ab[:len(ab)-1], ba}} {
		if _, err := replay.Same(states[0], states[1]); err == nil {
			t.Errorf("%x and %x were compared", states[0], states[1])
		}
	}
}

func replayOf(t *testing.T, files fstest.MapFS, text string, kinds map[string]Kind, store state.Store) *Replay {
	t.Helper()
	codec, err := avro.Open(files)
	if err != nil {
		t.Fatal(err)
	}
	fold, problems := Compile(parseFold(t, text), codec, nil, kinds)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	replay, err := fold.Replay(partitions, store)
	if err != nil {
		t.Fatal(err)
	}
	return replay
}
