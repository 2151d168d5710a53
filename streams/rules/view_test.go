package rules

import (
	"fmt"
	"strings"
	"testing"
)

// on is a view with these rules for OrderPlaced, which begin on line 7.
func on(rules string) string { return header + "on:\n  OrderPlaced:\n" + rules }

// TestViewProblems holds each message with its line and column.
func TestViewProblems(t *testing.T) {
	const set = "on:\n  OrderPlaced:\n    set: {x: 1}\n"
	tests := []struct {
		name, yaml string
		want       []string
	}{
		{"not a mapping", "[a]", []string{"1:1: a view must be a mapping with name, topics, key, on_error and on, not a list"}},
		{"empty", "{}", []string{
			"1:1: name is missing; give the view a name of lower-case letters, digits and dashes",
			"1:1: topics is missing; name the topics that the view reads: topics: [fines]",
			"1:1: on_error is missing; write on_error: stop, the only value so far: a record that cannot be applied stops its partition",
			"1:1: on is missing; say which rules apply to which event type",
		}},
		{"unknown key", header + "topic: x\n" + set, []string{`5:1: a view has no key "topic"; did you mean topics?`}},
		{"very unknown key", header + "colour: x\n" + set, []string{`5:1: a view has no key "colour"; it has name, version, topics, from, key, on_error, rows, snapshot, on`}},
		{"not yet: tests", header + "tests: []\n" + set, []string{"5:1: tests is not supported yet"}},
		{"not yet: kind", header + "kind: x\n" + set, []string{"5:1: kind is not supported yet"}},
		{"duplicate key", header + "key: x\n" + set, []string{"5:1: key is here twice; the first is at 3:1"}},
		{"name", "name: Orders\n" + header[len("name: orders\n"):] + set, []string{`1:7: name "Orders" must consist of lower-case letters, digits and dashes`}},
		{"version", header + "version: 0\n" + set, []string{`5:10: version must be a whole number from 1, not "0"`}},
		{"topics", strings.Replace(header, "[shop]", "shop", 1) + set, []string{`2:9: topics must be a list, not "shop"`}},
		{"no topics", strings.Replace(header, "[shop]", "[]", 1) + set, []string{"2:9: topics is empty; name at least one"}},
		{"topic twice", strings.Replace(header, "[shop]", "[a, a]", 1) + set, []string{"2:13: topic a is here twice"}},
		{"topic name", strings.Replace(header, "[shop]", "[a/b]", 1) + set, []string{`2:10: "a/b" cannot be the name of a topic: letters, digits, '.', '_' and '-', at most 249`}},
		{"on_error", strings.Replace(header, "stop", "park", 1) + set, []string{"4:11: on_error: park is not supported yet; write stop"}},
		{"bad on_error", strings.Replace(header, "stop", "skip", 1) + set, []string{`4:11: on_error must be stop, not "skip"`}},
		{"rows", header + "rows: sorted\n" + set, []string{"5:7: rows: sorted is not supported yet; write hash, or leave it out"}},
		{"bad rows", header + "rows: list\n" + set, []string{`5:7: rows must be hash, not "list"`}},
		{"key as list", strings.Replace(header, `"=stream"`, `[stream]`, 1) + set, []string{`3:6: key must be one value; write a tuple as an expression in quotes: "=[a, b]"`}},
		{"merge key", header + "on:\n  OrderPlaced: &a\n    set: {x: 1}\n  OrderPaid:\n    <<: *a\n", []string{
			"9:5: merge keys are not supported; repeat the keys, or use an alias for a whole value"}},

		{"no rules", header + "on: {}\n", []string{"5:5: on is empty; name at least one event type"}},
		{"no rules of a type", header + "on:\n  OrderPlaced: []\n", []string{"6:16: OrderPlaced has no rules"}},
		{"rule is text", header + "on:\n  OrderPlaced: x\n", []string{`6:16: a rule must be a mapping of ops, such as set: {status: paid}, not "x"`}},
		{"rule does nothing", on("    when: true\n"), []string{"7:5: the rule changes nothing; give it set, unset, add, min, max, latest or delete"}},
		{"unknown op", on("    sett: {x: 1}\n"), []string{`7:5: a rule has no key "sett"; did you mean set?`}},
		{"not yet: collect", on("    collect: x\n"), []string{"7:5: collect is not supported yet"}},
		{"empty op", on("    set: {}\n"), []string{"7:10: set is empty; name at least one field"}},
		{"op is text", on("    set: x\n"), []string{`7:10: set must be a mapping of keys to values, not "x"`}},
		{"field name", on("    set: {a-b: 1, 1a: 2, \"a@\": 3}\n"), []string{
			`7:11: "a-b" cannot be the name of a field: letters, digits and '_', not a digit first`,
			`7:19: "1a" cannot be the name of a field: letters, digits and '_', not a digit first`,
			`7:26: "a@" cannot be the name of a field: letters, digits and '_', not a digit first`}},
		{"field twice", on("    set: {x: 1}\n    unset: [x]\n"), []string{"8:13: field x stands in this rule twice; the first is set at 7:11"}},
		{"field twice in an op", on("    set: {x: 1, x: 2}\n"), []string{"7:17: x is here twice; the first is at 7:11"}},
		{"delete", on("    delete: false\n"), []string{"7:13: delete must be true; write the condition as when, or leave delete out"}},
		{"no value", on("    set: {x: }\n"), []string{`7:14: there is no value; write null to remove the field, "" for an empty text`}},
		{"number", on("    set: {x: 0x10}\n"), []string{`7:14: "0x10" is not a number; write 12, -3 or 1.5, or quote it if it is a text`}},
		{"codes", on("    set: {x: 01234, y: -08, z: 00.5}\n"), []string{
			`7:14: "01234" is not a number; write 12, -3 or 1.5, or quote it if it is a text`,
			`7:24: "-08" is not a number; write 12, -3 or 1.5, or quote it if it is a text`,
			`7:32: "00.5" is not a number; write 12, -3 or 1.5, or quote it if it is a text`}},
		{"binary", on("    set: {x: !!binary aGk=}\n"), []string{"7:14: a value of the YAML type !!binary is not supported"}},
		{"value is list", on("    set: {x: [1]}\n"), []string{`7:14: x must be one value; write a tuple as an expression in quotes: "=[a, b]"`}},
		{"flow trap", on("    set: {x: =max(data.article, 1)}\n"), []string{
			`7:14: the comma ends this expression in flow style; quote expressions: "=max(a, b)"`}},
		{"flow trap in a list", header + "on: {OrderPlaced: [{set: {x: 1}}, =max(1, 2)]}\n", []string{
			`5:35: the comma ends this expression in flow style; quote expressions: "=max(a, b)"`}},

		{"unknown event type", header + "on:\n  OrderShipped:\n    set: {x: 1}\n", []string{"6:3: no schema of OrderShipped"}},
		{"data is no record", header + "on:\n  Scalar:\n    set: {x: 1}\n", []string{"6:3: the data of Scalar is string, not a record"}},
		{"when is null", on("    when: \"=data.gift\"\n    set: {x: 1}\n"), []string{"7:11: when can be null; write (data.gift ?? false)"}},
		{"when is int", on("    when: \"=data.article\"\n    set: {x: 1}\n"), []string{"7:11: when must be a bool, not int"}},
		{"when is text", on("    when: data.article > 3\n    set: {x: 1}\n"), []string{"7:11: when must be a bool, not string; an expression begins with ="}},
		{"add of null", on("    add: {x: \"=data.discount\"}\n"), []string{"7:14: the operand of add can be null; write data.discount ?? 0"}},
		{"min of null", on("    min: {x: \"=data.due\"}\n"), []string{"7:14: the operand of min can be null; write data.due ?? time"}},
		{"latest of null", on("    latest: {x: \"=data.coupon\"}\n"), []string{`7:17: the operand of latest can be null; write data.coupon ?? ""`}},
		{"add of nil", on("    add: {x: null}\n"), []string{"7:14: the operand of add is nil"}},
		{"add of text", on("    add: {x: \"=data.coupon\"}\n"), []string{"7:14: add takes a number, not string?"}},
		{"max of text", on("    max: {x: \"=data.customer_id\"}\n"), []string{"7:14: max takes a number or a time, not string"}},
		{"unset of nothing", on("    set: {amount: 1}\n    unset: amuont\n"), []string{"8:12: no rule gives field amuont a value; did you mean amount?"}},

		{"key is int", strings.Replace(header, "=stream", "=data.article", 1) + "on: {OrderPlaced: {add: {x: 1}}}\n", []string{"3:8: a row key must be a text, not int; write string(…)"}},
		{"key is time", strings.Replace(header, "=stream", "=time", 1) + "on: {OrderPlaced: {add: {x: 1}}}\n", []string{`3:8: a row key must be a text, not time; write string(…), or month(t, "as written")`}},
		{"key is null", strings.Replace(header, "=stream", "=data.coupon", 1) + "on: {OrderPlaced: {add: {x: 1}}}\n", []string{`3:8: the row key can be null; write (data.coupon ?? "")`}},
		{"key is number", strings.Replace(header, `"=stream"`, "12", 1) + "on: {OrderPlaced: {add: {x: 1}}}\n", []string{"3:6: a row key must be a text, not int; put it in quotes"}},
		{"key is empty", strings.Replace(header, `"=stream"`, `""`, 1) + "on: {OrderPlaced: {add: {x: 1}}}\n", []string{"3:6: the row key is empty"}},
		{"key is empty expression", strings.Replace(header, `"=stream"`, `=''`, 1) + "on: {OrderPlaced: {add: {x: 1}}}\n", []string{"3:7: the row key is empty"}},
		{"no key", strings.Replace(header, "key: \"=stream\"\n", "", 1) + "on: {OrderPlaced: {add: {x: 1}}}\n", []string{`4:19: the rule has no row key, and the view has none; write key: "=stream"`}},
		{"tuple of nothing", strings.Replace(header, "=stream", "=[]", 1) + "on: {OrderPlaced: {add: {x: 1}}}\n", []string{"3:8: a tuple has 1 to 64 parts, not 0"}},
		{"tuple parts", strings.Replace(header, "=stream", "=[data.weight, data.placed, data.photo, data.count]", 1) + "on: {OrderPlaced: {add: {x: 1}}}\n", []string{
			"3:9: a part of a row key must not be a float; write decimal(…)",
			`3:22: a part of a row key must not be a time; write day(…, "as written") or string(…)`,
			"3:35: a part of a row key must be a string, int, bool or decimal, not bytes",
			"3:47: a part of the row key can be null; write (data.count ?? 0)"}},
		{"two shapes", on("    - add: {x: 1}\n    - key: \"=[stream, type]\"\n      add: {x: 1}\n"), []string{
			"8:12: this row key is a tuple of 2, but the one at 3:6 is a text; all rules of a view use one shape"}},
		{"problem of the view's key once", strings.Replace(header, "=stream", "=data.nope", 1) + "on: {OrderPlaced: [{add: {x: 1}}, {add: {y: 1}}]}\n", []string{
			`3:13: OrderPlaced has no field "nope"; it has amount, discount, article, count, weight, ratio, customer_id, coupon, express, gift, placed, due, …`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := check(t, tt.yaml)
			expect(t, problemTexts(problems), tt.want)
		})
	}
}

// expect compares problems by what they begin with.
func expect(t *testing.T, got, want []string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(got); i++ {
		ok = got[i] == want[i] || strings.HasSuffix(want[i], ": ") && strings.HasPrefix(got[i], want[i])
	}
	if !ok {
		t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func problemTexts[T error](problems []T) []string {
	list := make([]string, len(problems))
	for i, p := range problems {
		list[i] = p.Error()
	}
	return list
}

func TestViewValues(t *testing.T) {
	v, problems := parseView(t, "name: o-1\nversion: 3\ntopics: [b, a]\nrows: hash\nkey: k\non_error: stop\non: {T: {add: {x: 1}}}\n")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got := fmt.Sprintf("%s %d %s %s", v.Name, v.Version, v.Topics, v.OnError)
	if got != "o-1 3 [b a] stop" {
		t.Errorf("got %s", got)
	}
	if p := v.Problem("a view of that name is already there"); p.Line != 1 || p.Column != 7 {
		t.Errorf("got %v", p)
	}
	v, _ = parseView(t, header+"on: {T: {add: {x: 1}}}\n")
	if v.Version != 1 {
		t.Errorf("version is %d where it is not given", v.Version)
	}
}

// TestBrokenViewHasNoRules: what Parse has left out does not run without it.
func TestBrokenViewHasNoRules(t *testing.T) {
	v, problems := parseView(t, header+"on:\n  OrderPlaced:\n    set: {x: 1}\n    sett: {y: 1}\n")
	if len(problems) != 1 {
		t.Fatal(problems)
	}
	p, problems := v.Compile(testOptions)
	if p == nil || len(problems) > 0 || len(p.Events) > 0 || len(p.Fields) > 0 {
		t.Errorf("got %+v, %v", p, problems)
	}
}

// TestProblemsOfBothKinds: expressions are checked also where the form is wrong.
func TestProblemsOfBothKinds(t *testing.T) {
	_, problems := check(t, on("    set: {x: \"=data.nope\"}\n    sett: {y: 1}\n"))
	if len(problems) != 2 {
		t.Errorf("got %v", problems)
	}
}

// TestAliases: an anchor may be used again as a whole value, but not to make a
// small file a huge view.
func TestAliases(t *testing.T) {
	p := compiled(t, header+"on:\n  OrderPlaced: &rules\n    set: {x: 1}\n  OrderPaid: *rules\n")
	if len(p.Events) != 2 {
		t.Errorf("got %v", p.Events)
	}
	bomb := header + "on:\n  A: &a [" + strings.Repeat("{add: {x: 1}}, ", 1000) + "]\n"
	for i := range 200 {
		bomb += fmt.Sprintf("  A%d: *a\n", i)
	}
	_, problems := parseView(t, bomb)
	expect(t, problemTexts(problems), []string{"6:5770: the view has more than 50000 nodes, aliases expanded"})
}
