package compaction

import (
	"maps"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/rules"
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
	replay := replayOf(t, now)
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

func replayOf(t *testing.T, files fstest.MapFS) *Replay {
	t.Helper()
	codec, err := avro.Open(files)
	if err != nil {
		t.Fatal(err)
	}
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(orderFold), &node); err != nil {
		t.Fatal(err)
	}
	parsed, _ := rules.ParseFold(&node)
	fold, problems := Compile(parsed, codec, nil, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	replay, err := fold.Replay(partitions, state.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	return replay
}
