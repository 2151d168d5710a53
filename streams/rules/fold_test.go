package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// foldHeader is four lines, so that what follows begins on line 5.
const foldHeader = "name: order\ntopic: shop\nstate: OrderState\non_error: stop\n"

// foldOn is a fold with these rules for OrderPlaced, which begin on line 7.
func foldOn(rules string) string { return foldHeader + "on:\n  OrderPlaced:\n" + rules }

func parseFold(tb testing.TB, text string) (*Fold, []streams.Problem) {
	tb.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		tb.Fatalf("%v in:\n%s", err, text)
	}
	return ParseFold(doc.Content[0])
}

func checkFold(tb testing.TB, text string) (*FoldProgram, []streams.Problem) {
	tb.Helper()
	fold, problems := parseFold(tb, text)
	if fold == nil {
		return nil, problems
	}
	program, more := fold.Compile(testTypes)
	return program, append(problems, more...)
}

func compiledFold(tb testing.TB, text string) *FoldProgram {
	tb.Helper()
	p, problems := checkFold(tb, text)
	if len(problems) > 0 || p == nil {
		tb.Fatalf("%v\nin:\n%s", problems, text)
	}
	return p
}

// stateText shows the fields of a state that are not absent.
func stateText(p *FoldProgram, state []streams.Slot) string {
	var parts []string
	for k, name := range p.Fields {
		if s := state[k]; !s.Null {
			t := orderState.Field(name).Type
			parts = append(parts, name+" "+valueText(Field{Type: t}, Value{Slot: s, Decimal: s.Decimal(t.Scale)}))
		}
	}
	return strings.Join(parts, ", ")
}

// absentState is that of a stream without events. What a null slot holds means
// nothing.
func absentState(p *FoldProgram) []streams.Slot {
	return slices.Repeat([]streams.Slot{{Null: true, Bits: 7, Str: "7"}}, len(p.Fields))
}

// eval applies an event to the state.
func (ev event) eval(tb testing.TB, e *FoldEvent, v *FoldEvaluator, state []streams.Slot) (bool, error) {
	tb.Helper()
	ev.into(tb, v.Slots(), e.Paths)
	return v.Eval(state)
}

// foldAll folds events of OrderPlaced, and says what comes of each.
func foldAll(tb testing.TB, p *FoldProgram, events ...event) string {
	tb.Helper()
	e := p.Events["OrderPlaced"]
	state := absentState(p)
	var lines []string
	for _, ev := range events {
		before := slices.Clone(state)
		gone, err := ev.eval(tb, e, e.NewEvaluator(), state)
		line := stateText(p, state)
		if gone {
			line += ", gone"
		}
		if err != nil {
			line = fmt.Sprint("error at ", evalError(tb, err).Line, ":", evalError(tb, err).Column, ": ", errors.Unwrap(err))
			if gone || !slices.Equal(state, before) {
				tb.Errorf("%v changed the state to %s", err, stateText(p, state))
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestFold(t *testing.T) {
	big := strings.Repeat("9", 38)
	tests := []struct {
		name, rules string
		events      []event
		want        string
	}{
		{"set and add", "    set: {status: placed, note: \"=data.coupon\"}\n    add: {count: 1, paid: \"=data.amount\"}\n",
			[]event{{"data.coupon": "A", "data.amount": 1250}, {"data.amount": 50}},
			"count 1, note A, paid 12.5, status placed\ncount 2, paid 13, status placed"},
		{"defaults", "    add: {count: 2, fee: 1}\n    set: {ratio: \"=state.ratio * 3\"}\n", []event{{}, {}}, "count 2, fee -0.06, ratio 1.5\ncount 4, fee 0.94, ratio 4.5"},
		{"a default is read", "    set: {status: \"=state.status + '!'\", open: \"=not state.open\", photo: \"=state.photo\"}\n", []event{{}, {}},
			"open false, photo \x01\xff, status new!\nopen true, photo \x01\xff, status new!!"},
		{"back to the default", "    - {when: \"=data.express\", set: {status: placed, count: \"=data.article\"}}\n    - {when: \"=not data.express\", unset: [status, count]}\n",
			[]event{{"data.express": true, "data.article": 3}, {"data.express": false}}, "count 3, status placed\ncount 0, status new"},
		{"set of null is unset", "    set: {count: \"=data.count\", status: \"=data.coupon\"}\n", []event{{"data.count": 1, "data.coupon": "a"}, {}}, "count 1, status a\ncount 0, status new"},
		{"rules read the state before", "    - set: {count: \"=state.count + 1\", status: \"=string(state.count)\"}\n    - set: {note: \"=string(state.count)\"}\n      add: {count: 10}\n",
			[]event{{}, {}}, "count 11, note 0, status 0\ncount 22, note 11, status 11"},
		{"later rules win", "    - set: {note: a}\n    - set: {note: b}\n", []event{{}}, "note b"},
		{"delete comes first", "    - {set: {note: a, status: b}}\n    - {delete: true, set: {count: \"=state.count + 1\"}}\n", []event{{}, {}}, "count 1, status new\ncount 2, status new"},
		{"nothing happens", "    {when: \"=data.express\", set: {note: a}}\n", []event{{"data.express": false}}, ""},
		{"min and max", "    min: {first: \"=data.placed\", paid: \"=data.amount\", ratio: \"=data.weight\"}\n    max: {last: \"=data.placed\", big: \"=data.article\", weight: \"=data.article\", count: \"=data.article\"}\n",
			[]event{
				{"data.placed": timeOf(t, "2000-01-02T00:00:00Z"), "data.amount": 5, "data.weight": 0.75, "data.article": -4},
				{"data.placed": timeOf(t, "2000-01-01T00:00:00Z"), "data.amount": 4, "data.weight": 0.25, "data.article": -3},
				{"data.placed": timeOf(t, "2000-01-01T01:00:00+01:00"), "data.amount": 6, "data.weight": 0.5, "data.article": 9},
				{"data.placed": timeOf(t, "2000-01-02T01:00:00+01:00"), "data.amount": 6, "data.weight": 0.5, "data.article": 9}, // of equals the first stays
			},
			"big -4, count 0, first 2000-01-02T00:00:00Z, last 2000-01-02T00:00:00Z, paid 0.05, ratio 0.5, weight -4\n" +
				"big -3, count 0, first 2000-01-01T00:00:00Z, last 2000-01-02T00:00:00Z, paid 0.04, ratio 0.25, weight -3\n" +
				"big 9, count 9, first 2000-01-01T00:00:00Z, last 2000-01-02T00:00:00Z, paid 0.04, ratio 0.25, weight 9\n" +
				"big 9, count 9, first 2000-01-01T00:00:00Z, last 2000-01-02T00:00:00Z, paid 0.04, ratio 0.25, weight 9"},
		{"widening", "    set: {paid: \"=data.article\", weight: \"=data.article\", ratio: 0.1}\n    add: {fee: \"=data.weight\"}\n", []event{{"data.article": 7, "data.weight": 1.25}}, "fee 0.19, paid 7, ratio 0.1, weight 7"},
		{"names of the event", "    set: {note: \"=stream.key + type\", count: \"=version\", last: \"=time\"}\n",
			[]event{{"stream": "order-7", "type": "T", "version": 3, "time": timeOf(t, "2000-01-01T00:00:00+02:00")}}, "count 3, last 2000-01-01T00:00:00+02:00, note 7T"},

		{"overflow", "    add: {count: \"=data.article\"}\n", []event{{"data.article": 1<<63 - 1}, {"data.article": 1}}, "count 9223372036854775807\nerror at 7:18: the number does not fit 64 bits"},
		{"too many places", "    set: {paid: \"=data.wide\"}\n", []event{{"data.wide": 10_000_000_000}, {"data.wide": 10_000_000_001}},
			"paid 1\nerror at 7:17: the number does not fit the field of the state: paid is decimal(12, 2), the value is 1.0000000001; write round(x, 2), or give the field more digits"},
		{"too many digits", "    - add: {fee: 50}\n    - add: {fee: 51.06}\n    - set: {note: a}\n", []event{{}},
			"error at 8:18: the number does not fit the field of the state: fee is decimal(4, 2), the value is 100; write round(x, 2), or give the field more digits"},
		{"beyond 64 bits", "    - add: {big: \"=decimal(data.customer_id)\"}\n    - max: {big: 1}\n",
			[]event{{"data.customer_id": "-" + big}, {"data.customer_id": big}, {"data.customer_id": "1"}},
			"big 1\nerror at 7:18: the number does not fit the field of the state: big is decimal(38, 0), the value is 1" + strings.Repeat("0", 38) + "; write round(x, 0), or give the field more digits\nbig 2"},
		{"int that is no float", "    set: {weight: \"=data.article\"}\n", []event{{"data.article": 1<<53 + 1}}, "error at 7:19: no float is this int; write float(x) for the nearest one, or decimal(x) of the float"},
		{"error in the last rule", "    - {set: {note: a}, add: {count: 1}}\n    - set: {weight: \"=1.0 / data.weight\"}\n", []event{{"data.weight": 0.0}}, "error at 8:27: division by zero"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := foldAll(t, compiledFold(t, foldOn(tt.rules)), tt.events...); got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}
