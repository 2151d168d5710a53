package rules

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams"
)

// model is a state as the interpreter of this test has it: nil, string, int64 or
// *big.Rat by field.
type model map[string]any

// source of a value: its text in a rule, and what the interpreter takes it for.
type modelValue struct {
	text string
	of   func(s, data model) any
}

func constant(text string, v any) modelValue {
	return modelValue{text, func(_, _ model) any { return v }}
}

func ofData(name string) modelValue {
	return modelValue{`"=data.` + name + `"`, func(_, data model) any { return data[name] }}
}

func ofState(name string) modelValue {
	return modelValue{`"=state.` + name + `"`, func(s, _ model) any { return s[name] }}
}

// orZero is of a nullable decimal, beside what the op needs not be null.
func orZero(name string) modelValue {
	return modelValue{`"=state.` + name + ` ?? 0"`, func(s, _ model) any {
		if s[name] == nil {
			return new(big.Rat)
		}
		return s[name]
	}}
}

// modelFields are the fields of the states, with what an absent one is.
var modelFields = []struct {
	name   string
	absent any
	sets   []modelValue
	sums   []modelValue // for add, min and max
}{
	{"status", "new", []modelValue{constant("b", "b"), ofData("customer_id"), ofData("coupon"), ofState("status"), ofState("note")}, nil},
	{"note", nil, []modelValue{constant("a", "a"), ofData("coupon"), ofState("note"), ofState("status")}, nil},
	{"count", int64(0), []modelValue{constant("1", int64(1)), ofData("article"), ofData("count"), ofState("count")}, []modelValue{ofData("article"), ofState("count")}},
	{"paid", nil, []modelValue{constant("1.5", big.NewRat(3, 2)), ofData("amount"), ofData("discount"), ofData("wide"), ofState("paid")},
		[]modelValue{ofData("amount"), ofData("wide"), orZero("paid")}},
}

// modelRule is a rule that was drawn.
type modelRule struct {
	when    int // index in modelConditions
	remove  bool
	changes []modelChange
}

type modelChange struct {
	op, field string
	value     modelValue
}

var modelConditions = []struct {
	text string
	of   func(s, data model) bool
}{
	{"true", func(_, _ model) bool { return true }},
	{"false", func(_, _ model) bool { return false }},
	{`"=data.express"`, func(_, data model) bool { return data["express"].(bool) }},
	{`"=state.count > 2"`, func(s, _ model) bool { return s["count"].(int64) > 2 }},
	{`"=state.note == nil or state.status == 'b'"`, func(s, _ model) bool { return s["note"] == nil || s["status"] == "b" }},
}

func drawRule(t *rapid.T) modelRule {
	r := modelRule{when: rapid.IntRange(0, len(modelConditions)-1).Draw(t, "when"), remove: rapid.IntRange(0, 5).Draw(t, "delete") == 0}
	for _, f := range modelFields {
		ops := []string{"", "", "set", "unset"}
		if f.sums != nil {
			ops = append(ops, "add", "add", "min", "max")
		}
		switch op := rapid.SampledFrom(ops).Draw(t, f.name); op {
		case "":
		case "unset":
			r.changes = append(r.changes, modelChange{op, f.name, constant("", nil)})
		case "set":
			r.changes = append(r.changes, modelChange{op, f.name, rapid.SampledFrom(f.sets).Draw(t, "value")})
		default:
			r.changes = append(r.changes, modelChange{op, f.name, rapid.SampledFrom(f.sums).Draw(t, "value")})
		}
	}
	r.remove = r.remove || len(r.changes) == 0
	return r
}

func (r modelRule) String() string {
	text := "    - when: " + modelConditions[r.when].text + "\n"
	if r.remove {
		text += "      delete: true\n"
	}
	ops := map[string][]string{}
	for _, ch := range r.changes {
		if ch.op == "unset" {
			ops["unset"] = append(ops["unset"], ch.field)
		} else {
			ops[ch.op] = append(ops[ch.op], ch.field+": "+ch.value.text)
		}
	}
	for op, list := range ops {
		brackets := "{}"
		if op == "unset" {
			brackets = "[]"
		}
		text += "      " + op + ": " + brackets[:1] + strings.Join(list, ", ") + brackets[1:] + "\n"
	}
	return text
}

// interpret applies an event; nil where it is an error of the record.
func interpret(rules []modelRule, before, data model) model {
	after := model{}
	for name, v := range before {
		after[name] = v
	}
	for _, r := range rules {
		if !modelConditions[r.when].of(before, data) {
			continue
		}
		for _, f := range modelFields {
			if r.remove {
				after[f.name] = f.absent
			}
			for _, ch := range r.changes {
				if ch.field != f.name {
					continue
				}
				v := ch.change(after[f.name], ch.value.of(before, data))
				if v == nil {
					v = f.absent
				}
				if after[f.name] = v; !fitsModel(v) {
					return nil
				}
			}
		}
	}
	return after
}

// change returns what the op makes of the value before.
func (ch modelChange) change(before, v any) any {
	switch {
	case ch.op == "set" || ch.op == "unset" || before == nil:
		return v
	case ch.op == "add":
		return rat(new(big.Rat).Add(ratOf(before), ratOf(v)), v)
	case (ratOf(v).Cmp(ratOf(before)) < 0) == (ch.op == "min"):
		return v
	}
	return before
}

func ratOf(v any) *big.Rat {
	if n, ok := v.(int64); ok {
		return new(big.Rat).SetInt64(n)
	}
	return v.(*big.Rat)
}

// rat returns a number as the kind of another; too large an int as it is.
func rat(r *big.Rat, as any) any {
	if _, ok := as.(int64); ok && r.Num().IsInt64() {
		return r.Num().Int64()
	}
	return r
}

// fitsModel says whether decimal(12, 2) or an int of 64 bits holds the number.
func fitsModel(v any) bool {
	r, ok := v.(*big.Rat)
	if !ok {
		return true
	}
	cents := new(big.Rat).Mul(r, big.NewRat(100, 1))
	return cents.IsInt() && cents.Num().CmpAbs(big.NewInt(1e12)) < 0
}

// text shows the state as stateText does.
func (m model) text() string {
	var parts []string
	for name, v := range m {
		switch v := v.(type) {
		case nil:
			continue
		case *big.Rat:
			d, _ := streams.ParseDecimal(v.FloatString(2))
			parts = append(parts, name+" "+d.String())
		default:
			parts = append(parts, fmt.Sprint(name, " ", v))
		}
	}
	slices.SortFunc(parts, cmp.Compare)
	return strings.Join(parts, ", ")
}

// drawEvent draws an event for the evaluator, and for the interpreter.
func drawEvent(t *rapid.T) (event, model) {
	texts := rapid.SampledFrom([]string{"", "a", "b", "c"})
	amounts := rapid.SampledFrom([]int{0, 1, 150, -150, 99_999_999_999_99, -1})
	ints := rapid.SampledFrom([]int{0, 1, 2, 3, -5, 1<<63 - 1, -1 << 63})
	ev, data := event{}, model{}
	put := func(name string, v any, nullable bool) {
		if nullable && rapid.Bool().Draw(t, "null") {
			v = nil
		}
		ev["data."+name], data[name] = v, v
		if n, ok := v.(int); ok {
			data[name] = int64(n)
		}
	}
	decimal := func(name string, coef int, scale int64, nullable bool) {
		if put(name, coef, nullable); data[name] != nil {
			data[name] = big.NewRat(int64(coef), scale)
		}
	}
	put("customer_id", texts.Draw(t, "customer_id"), false)
	put("coupon", texts.Draw(t, "coupon"), true)
	put("express", rapid.Bool().Draw(t, "express"), false)
	put("article", ints.Draw(t, "article"), false)
	put("count", ints.Draw(t, "count"), true)
	decimal("amount", amounts.Draw(t, "amount"), 100, false)
	decimal("discount", amounts.Draw(t, "discount"), 100, true)
	decimal("wide", rapid.SampledFrom([]int{0, 1, 1e8, -1e8, 25e9}).Draw(t, "wide"), 1e10, false)
	return ev, data
}

// TestFoldAgreesWithAnInterpreter: whatever the rules and the events.
func TestFoldAgreesWithAnInterpreter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rules := rapid.SliceOfN(rapid.Custom(drawRule), 1, 4).Draw(rt, "rules")
		text := foldHeader + "on:\n  OrderPlaced:\n    - {when: false, set: {status: x, note: x, count: 0, paid: 0}}\n"
		for _, r := range rules {
			text += r.String()
		}
		p := compiledFold(t, text)
		e := p.Events["OrderPlaced"]
		v := e.NewEvaluator()
		state, want := absentState(p), model{}
		for _, f := range modelFields {
			want[f.name] = f.absent
		}
		for range rapid.IntRange(1, 6).Draw(rt, "events") {
			ev, data := drawEvent(rt)
			before := stateText(p, state)
			_, err := ev.eval(t, e, v, state)
			after := interpret(rules, want, data)
			switch got := stateText(p, state); {
			case after == nil && (err == nil || got != before):
				rt.Fatalf("got %s, %v, want %s and an error in:\n%s", got, err, before, text)
			case after != nil && (err != nil || got != after.text()):
				rt.Fatalf("got %s, %v, want %s in:\n%s", got, err, after.text(), text)
			case after != nil:
				want = after
			}
		}
	})
}
