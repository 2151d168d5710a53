package rules

import (
	"fmt"
	"strings"
	"testing"
)

// TestFoldProblems holds each message with its line and column.
func TestFoldProblems(t *testing.T) {
	const set = "on:\n  OrderPlaced:\n    set: {note: a}\n"
	gone := func(expr string) string {
		return foldHeader + "on:\n  OrderPlaced:\n    set: {note: a, count: 1}\ngone: " + expr + "\n"
	}
	tests := []struct {
		name, yaml string
		want       []string
	}{
		{"not a mapping", "[a]", []string{"1:1: a fold must be a mapping with name, topic, state, on_error and on, not a list"}},
		{"empty", "{}", []string{
			"1:1: name is missing; give the fold a name of lower-case letters, digits and dashes",
			"1:1: topic is missing; name the topic whose streams are folded: topic: fines",
			"1:1: state is missing; name the record type of the state, which has a schema as events have: state: FineState",
			"1:1: on_error is missing; write on_error: stop, the only value so far: a record that cannot be applied stops its partition",
			"1:1: on is missing; say which rules apply to which event type",
		}},
		{"unknown key", foldHeader + "topics: x\n" + set, []string{`5:1: a fold has no key "topics"; did you mean topic?`}},
		{"unknown type", foldHeader + "on:\n  OrderShipped:\n    set: {note: a}\n", []string{"6:3: no schema of OrderShipped"}},
		{"topics", strings.Replace(foldHeader, "shop", "[shop]", 1) + set, []string{"2:8: topic must be text, not a list"}},
		{"topic name", strings.Replace(foldHeader, "shop", "a/b", 1) + set, []string{`2:8: "a/b" cannot be the name of a topic: letters, digits, '.', '_' and '-', at most 249`}},
		{"same topic", foldHeader + "to: shop\n" + set, []string{"5:5: the snapshots of shop cannot stand in the same topic; write to: shop.snapshots, or leave it out"}},
		{"long topic", strings.Replace(foldHeader, "shop", strings.Repeat("a", 249), 1) + set, []string{
			"2:8: the name is too long for " + strings.Repeat("a", 249) + ".snapshots; name a shorter one for the snapshots: to: …"}},
		{"no such state", strings.Replace(foldHeader, "OrderState", "State", 1) + set, []string{"3:8: the state: no schema of State"}},
		{"no such state, once", strings.Replace(foldOn("    set: {note: \"=state.note\"}\n"), "OrderState", "State", 1), []string{"3:8: the state: no schema of State"}},
		{"state is empty", strings.Replace(foldHeader, "OrderState", `""`, 1) + set, []string{"3:8: state is empty; name its record type, which has a schema as events have: FineState"}},
		{"state is no record", strings.Replace(foldHeader, "OrderState", "Scalar", 1) + set, []string{"3:8: the state Scalar is string, not a record"}},
		{"a kind with rules", foldHeader + "kind: go\n" + set + "gone: \"=state.note == 'a'\"\n", []string{
			"6:1: a fold of a kind has its rules in Go; leave out on, or kind", "9:1: a fold of a kind has its rules in Go; leave out gone, or kind"}},
		{"a kind of no state", strings.Replace(foldHeader, "OrderState", "State", 1) + "kind: go\n", []string{"3:8: the state: no schema of State"}},
		{"kind", foldHeader + "kind: Go\n", []string{`5:7: kind "Go" must consist of lower-case letters, digits and dashes: the name that a Go program registers its fold by`}},

		{"key", foldOn("    key: \"=stream\"\n    set: {note: a}\n"), []string{"7:5: a rule of a fold has no key: there is one state for each stream"}},
		{"latest", foldOn("    latest: {note: a}\n"), []string{"7:5: a rule of a fold has no latest: the events of a stream come in order; use set, or max of time"}},
		{"rule does nothing", foldOn("    when: true\n"), []string{"7:5: the rule changes nothing; give it set, unset, add, min, max or delete"}},
		{"unknown op", foldOn("    sett: {note: a}\n"), []string{`7:5: a rule of a fold has no key "sett"; did you mean set?`}},
		{"field twice", foldOn("    set: {note: a}\n    unset: note\n"), []string{"8:12: field note stands in this rule twice; the first is set at 7:11"}},
		{"when", foldOn("    when: \"=state.note\"\n    set: {note: a}\n"), []string{"7:11: when must be a bool, not string?"}},

		{"no such field", foldOn("    set: {nota: a}\n"), []string{`7:11: OrderState has no field "nota"; did you mean note?`}},
		{"no such field, once", foldOn("    set: {nota: \"=state.nota\"}\n"), []string{`7:11: OrderState has no field "nota"; did you mean note?`}},
		{"not scalar", foldOn("    set: {address: null}\n"), []string{"7:11: field address of OrderState is record {city}?; rules write only single values"}},
		{"no default", foldOn("    set: {bare: 1}\n"), []string{"7:11: field bare of OrderState must be nullable or have a default: a stream may begin with any event"}},
		{"default of a time", foldOn("    set: {since: \"=time\"}\n"), []string{"7:11: field since of OrderState must be nullable: the default of a time is a number, which does not say of what"}},
		{"default of a float", foldOn("    set: {wild: 1.5}\n"), []string{
			`7:11: field wild of OrderState has the default "NaN", which is no float`}},
		{"add to a float", foldOn("    add: {weight: 1}\n"), []string{"7:11: field weight of OrderState is float, which takes no add: its sums would be rounded; make it a decimal"}},
		{"add to a text", foldOn("    add: {note: 1}\n"), []string{"7:17: field note of OrderState is string?, not int; write string(x)"}},
		{"max of a text", foldOn("    max: {note: 1}\n"), []string{"7:17: field note of OrderState is string?, not int; write string(x)"}},
		{"set of another type", foldOn("    set: {note: 1, count: \"=data.amount\", paid: a, weight: \"=data.amount\", first: \"2000-01-01\", open: 1, photo: x}\n"), []string{
			"7:17: field note of OrderState is string?, not int; write string(x)", "7:27: field count of OrderState is int, not decimal; write int(x)",
			"7:49: field paid of OrderState is decimal(12, 2)?, not string; write decimal(x)", "7:60: field weight of OrderState is float?, not decimal; write float(x)",
			"7:83: field first of OrderState is time?, not string; write time(x)", "7:103: field open of OrderState is bool, not int", "7:113: field photo of OrderState is bytes, not string"}},
		{"float into a decimal", foldOn("    set: {paid: \"=data.weight\"}\n"), []string{"7:17: field paid of OrderState is decimal(12, 2)?, not float; write decimal(x)"}},
		{"a number that never fits", foldOn("    - {set: {paid: 1.005}, add: {fee: 100}}\n    - {add: {count: 1.5}}\n"), []string{
			"7:20: 1.005 does not fit field paid of OrderState, which is decimal(12, 2)?", "7:39: 100 does not fit field fee of OrderState, which is decimal(4, 2)",
			"8:21: field count of OrderState is int, not decimal; write int(x)"}},
		{"add of null", foldOn("    add: {count: \"=state.paid\", paid: 1}\n"), []string{"7:18: the operand of add can be null; write state.paid ?? 0"}},

		{"state", foldOn("    set: {note: \"=state\"}\n"), []string{
			"7:19: state is all of OrderState; name a field of it: status, note, count, paid, fee, big, weight, ratio, first, last, open, photo, …"}},
		{"state of nothing", foldOn("    set: {note: \"=state.nope\"}\n"), []string{
			`7:25: OrderState has no field "nope"; did you mean note?`}},
		{"state that nobody writes", foldOn("    set: {note: \"=state.status\"}\n"), []string{"7:25: no rule of the fold writes state.status, so it always has one and the same value"}},
		{"part of a state", foldOn("    set: {note: \"=state.note.x\"}\n"), []string{"7:30: state.note is string? and has no field x"}},
		{"name of the state", foldOn("    set: {note: \"=note\"}\n"), []string{`7:19: there is no "note"; did you mean state.note?`}},
		{"name of the data", foldOn("    set: {note: \"=coupon\"}\n"), []string{`7:19: there is no "coupon"; did you mean data.coupon?`}},
		{"row", foldOn("    set: {note: \"=row.note\"}\n"), []string{"7:19: a fold has no rows; it has state"}},

		{"gone is text", gone("state.note"), []string{"8:7: gone must be a bool, not string; an expression begins with ="}},
		{"gone is null", gone("\"=state.note\""), []string{"8:7: gone must be a bool, not string?"}},
		{"gone of an event", gone("\"=data.express and type == 'x'\""), []string{
			"8:9: gone is about the state, whichever event led to it, and has only state",
			"8:26: gone is about the state, whichever event led to it, and has only state"}},
		{"gone of nothing", gone("\"=ended\""), []string{`8:9: there is no "ended"; names are state`}},
		{"gone of no field", gone("true"), []string{"8:7: gone reads no field of the state, so that it would end all streams or none"}},
		{"gone at once", gone("\"=state.note != 'a'\""), []string{
			"8:7: gone is true for a state that nothing was written to, so that any event would end its stream; write it so that it needs a value"}},
		{"gone without a value", gone("\"=1 % state.count == 1\""), []string{"8:7: gone has no value for a state that nothing was written to: division by zero"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := checkFold(t, tt.yaml)
			expect(t, problemTexts(problems), tt.want)
		})
	}
}

func TestFoldValues(t *testing.T) {
	const rules = "on: {T: {set: {note: a}}}\n"
	tests := []struct{ yaml, want string }{
		{foldHeader + rules, "order 1 shop to shop.snapshots, OrderState, kind , stop, ends false"},
		{foldHeader + "version: 3\n" + rules, "order 3 shop to shop.snapshots.v3, OrderState, kind , stop, ends false"},
		{foldHeader + "to: there\n" + rules, "order 1 shop to there, OrderState, kind , stop, ends false"},
		{foldHeader + "version: 3\nto: there\n" + rules, "order 3 shop to there.v3, OrderState, kind , stop, ends false"},
		{foldHeader + "version: 3\nto: there.v3\n" + rules, "order 3 shop to there.v3, OrderState, kind , stop, ends false"},
		{foldHeader + "gone: \"=state.note == 'a'\"\n" + rules, "order 1 shop to shop.snapshots, OrderState, kind , stop, ends true"},
		{foldHeader + "kind: orders\n", "order 1 shop to shop.snapshots, OrderState, kind orders, stop, ends true"},
	}
	for _, tt := range tests {
		f, problems := parseFold(t, tt.yaml)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		got := fmt.Sprintf("%s %d %s to %s, %s, kind %s, %s, ends %v", f.Name, f.Version, f.Topic, f.To, f.State, f.Kind, f.OnError, f.Ends())
		if got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
		if p := f.Problem("a fold of that name is already there"); p.Line != 1 || p.Column != 7 {
			t.Errorf("got %v", p)
		}
	}
}

// TestKindHasNoProgram, and no problem.
func TestKindHasNoProgram(t *testing.T) {
	if p, problems := checkFold(t, foldHeader+"kind: orders\n"); p != nil || len(problems) > 0 {
		t.Errorf("got %+v, %v", p, problems)
	}
}

// TestBrokenFoldHasNoRules: what ParseFold has left out does not run without it.
func TestBrokenFoldHasNoRules(t *testing.T) {
	p, problems := checkFold(t, foldOn("    set: {note: a}\n    key: x\n"))
	if p == nil || len(problems) != 1 || len(p.Events) > 0 || len(p.Fields) > 0 {
		t.Errorf("got %+v, %v", p, problems)
	}
}
