package projection

import (
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/rules"
)

// summed is a view that any partitioner will do for.
const summed = `
name: order
version: 1
topics: [orders]
key: "=stream"
on_error: stop
on:
  Paid:
    add: {payments: 1, paid: "=data.amount"}
`

// compiled compiles a view against a schema.
func compiled(t *testing.T, text, schema string, topics map[string]kafka.TopicConfig) *View {
	t.Helper()
	codec, err := avro.Open(fstest.MapFS{"Paid.avsc": {Data: []byte(schema)}})
	if err != nil {
		t.Fatal(err)
	}
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		t.Fatal(err)
	}
	parsed, problems := rules.Parse(&node)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	v, problems := CompileView(parsed, codec, topics, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return v
}

// TestDigestIsOfWhatCanChangeARow and of nothing else. It stays what it is: with
// another one, every worker of a new release would refuse the rows of the former.
func TestDigestIsOfWhatCanChangeARow(t *testing.T) {
	const golden = "161a713634e18acdab34e3ed6ec507e128d510615d6f7c7c30e4ada6e09cb9a5"
	base := compiled(t, summed, paidSchema, nil)
	if base.Digest != golden {
		t.Errorf("the digest is %s, and was %s; its text is\n%s", base.Digest, golden, base.Text)
	}
	edited := func(text, from, to string) string {
		t.Helper()
		if !strings.Contains(text, from) {
			t.Fatalf("no %s in\n%s", from, text)
		}
		return strings.Replace(text, from, to, 1)
	}
	same := map[string]*View{
		"a comment":          compiled(t, edited(summed, "on_error: stop", "on_error: stop # as ever"), paidSchema, nil),
		"the version":        compiled(t, edited(summed, "version: 1", "version: 2"), paidSchema, nil),
		"another order":      compiled(t, edited(summed, `payments: 1, paid: "=data.amount"`, `paid: "=data.amount", payments: 1`), paidSchema, nil),
		"a new field":        compiled(t, summed, edited(paidSchema, `"fields":[`, `"fields":[{"name":"note","type":"string","default":""},`), nil),
		"a field not read":   compiled(t, summed, edited(paidSchema, `"type":"double"`, `"type":"float"`), nil),
		"a written default":  compiled(t, summed, paidSchema, map[string]kafka.TopicConfig{"orders": {Partitioner: kafka.TopicConfig{}.WithDefaults().Partitioner}}),
		"what it may delete": compiled(t, summed, paidSchema, map[string]kafka.TopicConfig{"orders": {AcceptRetention: true}}),
	}
	for name, v := range same {
		if v.Digest != base.Digest {
			t.Errorf("%s changes the digest:\n%s", name, v.Text)
		}
	}
	other := map[string]*View{
		"an expression":   compiled(t, edited(summed, `"=data.amount"`, `"=data.amount * 2"`), paidSchema, nil),
		"the key":         compiled(t, edited(summed, `"=stream"`, `"=data.customer"`), paidSchema, nil),
		"a topic":         compiled(t, edited(summed, "[orders]", "[orders, refunds]"), paidSchema, nil),
		"a type read":     compiled(t, summed, edited(paidSchema, `"scale":2`, `"scale":3`), nil),
		"a default read":  compiled(t, summed, edited(paidSchema, `"scale":2}`, `"scale":2},"default":"\u0001"`), nil),
		"the partitioner": compiled(t, summed, paidSchema, map[string]kafka.TopicConfig{"orders": {Partitioner: kafka.PartitionerAny}}),
		"another fold":    {},
		"another layout":  {},
	}
	*other["another fold"], *other["another layout"] = *base, *base
	other["another fold"].define(Layout, FoldVersion+1)
	other["another layout"].define(Layout+1, FoldVersion)
	for name, v := range other {
		if v.Digest == base.Digest {
			t.Errorf("%s does not change the digest:\n%s", name, v.Text)
		}
	}
}

// TestRowsOfOtherRulesAreNotMixed: with one digest for all rules, they are.
func TestRowsOfOtherRulesAreNotMixed(t *testing.T) {
	withAndWithout(t, func(t *testing.T, defended bool) bool {
		l := newLab(t, oneView)
		twice := l.compile(strings.Replace(oneView, `"=data.amount"`, `"=data.amount * 2"`, 1))
		if !defended {
			twice[0].Digest = l.views[0].Digest
		}
		l.payPartition(0, 1)
		first := l.start(nil)
		l.untilApplied()
		first.stop()
		l.payPartition(0, 1)
		l.views = twice
		second := l.start(nil)
		l.comesTrue(func() bool { return l.position(l.views[0], 0) == 2 || len(second.done) > 0 })
		return l.rows(l.views[0])[streamOf(0)]["paid"] == "1.1"
	})
}
