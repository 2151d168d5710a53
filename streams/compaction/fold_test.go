package compaction

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/state"
)

// withFields returns a codec by which orders have more fields, that no rule writes.
func withFields(t *testing.T, fields ...string) *avro.Codec {
	t.Helper()
	files := maps.Clone(schemas)
	order := string(schemas["Order.avsc"].Data)
	for _, f := range fields {
		order = strings.Replace(order, `"fields":[`, `"fields":[`+f+`,`, 1)
	}
	files["Order.avsc"] = &fstest.MapFile{Data: []byte(order)}
	codec, err := avro.Open(files)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

func field(name, avroType, standard string) string {
	return fmt.Sprintf(`{"name":%q,"type":%s,"default":%s}`, name, avroType, standard)
}

// TestDigestHoldsWhatNoRuleWrites: the default of a field is written with each event,
// also where no rule knows it. Fields that are null then may come and go.
func TestDigestHoldsWhatNoRuleWrites(t *testing.T) {
	of := func(fields ...string) string {
		f, problems := Compile(parseFold(t, orderFold), withFields(t, fields...), nil, nil)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return f.Text
	}
	plain := of()
	line := func(amount string) string {
		return `{"type":"record","name":"Line","fields":[` + field("amount", `"int"`, amount) + `,` + field("note", `["null","string"]`, "null") + `]}`
	}
	channel, rate := field("channel", `"string"`, `"web"`), field("rate", `"double"`, "1.50")
	for _, c := range []struct {
		fields []string
		want   string // behind the text of the rules
	}{
		{[]string{field("channel", `["null","string"]`, "null"), field("line", `["null",`+line("1")+`]`, "null"), `{"name":"size","type":["null","int"]}`}, ""},
		{[]string{channel}, `unwritten channel default "\"web\""` + "\n"},
		{[]string{field("channel", `"string"`, `""`)}, `unwritten channel default "\"\""` + "\n"},
		{[]string{field("channel", `["string","null"]`, `"web"`)}, `unwritten channel default "\"web\""` + "\n"},
		{[]string{channel, rate}, `unwritten channel default "\"web\""` + "\nunwritten rate default \"1.5\"\n"},
		{[]string{rate, channel}, `unwritten channel default "\"web\""` + "\nunwritten rate default \"1.5\"\n"},
		{[]string{field("line", line("1"), `{}`)}, "unwritten line default \"{}\"\nunwritten line.amount default \"1\"\n"},
		{[]string{field("lines", `{"type":"map","values":{"type":"array","items":`+line("2")+`}}`, `{"a":[{}]}`)},
			`unwritten lines default "{\"a\":[{}]}"` + "\nunwritten lines.amount default \"2\"\n"},
	} {
		if got := of(c.fields...); got != plain+c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.fields, got, plain+c.want)
		}
	}
}

// TestDefaultsOfWhatNoRuleWritesStandTogether: where another default goes with the
// same digest, streams that rest have the former one for ever, and a fold of all
// events gives them the other.
func TestDefaultsOfWhatNoRuleWritesStandTogether(t *testing.T) {
	bothWays(t, func(l *lab, defended bool) []string {
		l.codec = withFields(l.t, field("channel", `"string"`, `""`))
		l.fold = l.compile(orderFold)
		l.pay(20)
		l.once()
		fold := l.fold
		l.codec = withFields(l.t, field("channel", `"string"`, `"web"`))
		l.fold = l.compile(orderFold)
		if l.Kafka.Produce(l.topic, l.paid(1, "1.10")); defended {
			var digest *snapshot.DigestError
			if err := l.start(nil).leaves("raise version"); !errors.As(err, &digest) {
				l.t.Errorf("it left with %v", err)
			}
			l.fold = fold
		} else {
			l.fold.Digest = fold.Digest
		}
		l.once()
		return l.unlike()
	})
}

// unlike are the streams whose snapshots are not, byte by byte, what the fold makes
// of their events.
func (l *lab) unlike() (all []string) {
	l.t.Helper()
	store := state.NewMemory()
	replay, err := l.fold.Replay(partitions, store)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, r := range l.Kafka.Read(l.topic) {
		if err := replay.Apply(r); err != nil {
			l.t.Fatal(err)
		}
	}
	snapshots := l.load()
	for stream, want := range store.All() {
		if got := snapshots[string(stream)]; !bytes.Equal(got.Value, want.Value) || got.Version != want.Version {
			all = append(all, fmt.Sprintf("%s: version %d, %x; want %d, %x", stream, got.Version, got.Value, want.Version, want.Value))
		}
	}
	return all
}
