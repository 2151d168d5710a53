package rules

import (
	"errors"
	"strings"
	"testing"

	"github.com/millrace/millrace/streams"
)

func TestSteps(t *testing.T) {
	tests := []struct{ name, head, rules, want string }{
		{"ops", header, "    - {set: {x: 1, z: a}, add: {a: \"=data.amount\"}, min: {b: 1}, max: {c: \"=data.weight\"}, latest: {d: \"=data.express\"}}\n",
			"order-1: set x 1, set z a, add a 12.5, min b 1, max c 1.5, latest d true"},
		{"order within a rule", header, "    - {set: {x: 1, y: 2}}\n    - {set: {x: 2}, unset: [y], delete: true}\n",
			"order-1: set x 1, set y 2\norder-1: delete, unset y, set x 2"},
		{"rules in their order", header, "    - {when: \"=data.article == 7\", set: {x: 1}}\n    - {when: \"=data.article == 8\", set: {x: 2}}\n    - {set: {x: 3}}\n",
			"order-1: set x 1\norder-1: set x 3"},
		{"no rule applies", header, "    {when: false, set: {x: 1}}\n", ""},
		{"set of null", header, "    {set: {x: \"=data.coupon\", y: \"=data.ratio\"}}\n", "order-1: unset x, unset y"},
		{"floats are added as decimals", header, "    - {add: {x: \"=data.weight\"}}\n    - {add: {x: 1}}\n    - {add: {x: 0.1}}\n",
			"order-1: add x 1.5\norder-1: add x 1\norder-1: add x 0.1"},
		{"numbers take the type of the field", header, "    - {set: {x: 1}}\n    - {set: {x: 0.5}}\n    - {set: {x: \"=data.weight\"}}\n",
			"order-1: set x 1\norder-1: set x 0.5\norder-1: set x 1.5"},
		{"ints with decimals", header, "    - {max: {x: 1}}\n    - {max: {x: \"=data.article\"}}\n    - {max: {x: \"=data.amount\"}}\n",
			"order-1: max x 1\norder-1: max x 7\norder-1: max x 12.5"},
		{"a literal =", header, "    {set: {x: ==a, y: \"==\"}}\n", "order-1: set x =a, set y ="},
		{"a date is a text", header, "    {set: {x: 2000-01-01, y: yes}}\n", "order-1: set x 2000-01-01, set y yes"},
		{"bytes and times", header, "    {set: {x: \"=data.photo\"}, max: {y: \"=data.placed\"}}\n", "order-1: set x \x00\x01, max y 2000-01-31T23:30:00+01:00"},
		{"literal key", strings.Replace(header, `"=stream"`, "all", 1), "    {add: {x: 1}}\n", "all: add x 1"},
		{"own key", header, "    {key: \"='c:' + data.customer_id\", add: {x: 1}}\n", "c:c-1: add x 1"},
		{"tuple", strings.Replace(header, "=stream", "=[data.customer_id + '|%', data.article, data.amount, data.express]", 1), "    {add: {x: 1}}\n",
			"c-1%7C%25|7|12.5|true: add x 1"},
		{"tuple of one", strings.Replace(header, "=stream", "=['a|b']", 1), "    {add: {x: 1}}\n", "a%7Cb: add x 1"},
		{"tuple with empty parts", strings.Replace(header, "=stream", "=['', '']", 1), "    {add: {x: 1}}\n", "|: add x 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ev := full(t)
			ev["data.coupon"], ev["data.ratio"] = nil, nil
			p := compiled(t, tt.head+"on:\n  OrderPlaced:\n"+tt.rules)
			got, err := run(t, p, "OrderPlaced", ev)
			if err != nil || got != tt.want {
				t.Errorf("got:\n%s\n%v\nwant:\n%s", got, err, tt.want)
			}
		})
	}
}

// TestEmptyRowKey is an error of the record, and names the place of the key.
func TestEmptyRowKey(t *testing.T) {
	for _, expr := range []string{"=data.customer_id", "=[data.customer_id]"} {
		p := compiled(t, strings.Replace(header, "=stream", expr, 1)+"on:\n  OrderPlaced: {add: {x: 1}}\n")
		_, err := run(t, p, "OrderPlaced", event{"data.customer_id": ""})
		if e := evalError(t, err); !errors.Is(e, ErrKey) || e.Line != 3 || e.Column != 6 {
			t.Errorf("%s: got %v", expr, err)
		}
	}
}

// TestEventIsEvaluatedWhole: a rule that fails takes the steps of the others
// with it, and leaves the evaluator usable.
func TestEventIsEvaluatedWhole(t *testing.T) {
	p := compiled(t, header+"on:\n  OrderPlaced:\n    - add: {x: 1}\n    - set: {y: \"=10 % data.article\"}\n")
	e := p.Events["OrderPlaced"]
	v := e.NewEvaluator()
	ev := event{"stream": "order-1", "data.article": 0}
	ev.fill(t, v, e)
	if steps, err := v.Eval(); steps != nil || !errors.Is(err, streams.ErrDivisionByZero) {
		t.Fatalf("got %v, %v", show(p, steps), err)
	} else if want := "rule at line 8, column 21: division by zero"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	ev["data.article"] = 3
	ev.fill(t, v, e)
	if steps, err := v.Eval(); err != nil || show(p, steps) != "order-1: add x 1\norder-1: set y 1" {
		t.Errorf("got %s, %v", show(p, steps), err)
	}
}

// TestNullComesAndGoes: a field that was unset for one event is set for the next.
func TestNullComesAndGoes(t *testing.T) {
	p := compiled(t, header+"on:\n  OrderPlaced:\n    set: {x: \"=data.coupon\"}\n")
	e := p.Events["OrderPlaced"]
	v := e.NewEvaluator()
	for _, coupon := range []any{"A", nil, "B", nil} {
		want := "order-1: unset x"
		if coupon != nil {
			want = "order-1: set x " + coupon.(string)
		}
		ev := event{"stream": "order-1", "data.coupon": coupon}
		ev.fill(t, v, e)
		if steps, err := v.Eval(); err != nil || show(p, steps) != want {
			t.Errorf("got %s, %v; want %s", show(p, steps), err, want)
		}
	}
}

// TestTextsOutliveGrowth: texts that were built before the scratch memory grew
// are still there.
func TestTextsOutliveGrowth(t *testing.T) {
	p := compiled(t, header+"on:\n  OrderPlaced:\n    - set: {x: \"=data.customer_id + '1'\"}\n    - set: {y: \"=data.customer_id + data.customer_id + data.customer_id\"}\n")
	long := strings.Repeat("ab", 1000)
	got, err := run(t, p, "OrderPlaced", event{"stream": "s", "data.customer_id": long})
	if want := "s: set x " + long + "1\ns: set y " + long + long + long; err != nil || got != want {
		t.Errorf("got %.80s…, %v", got, err)
	}
}

func TestNeedsAndPaths(t *testing.T) {
	p := compiled(t, header+`on:
  OrderPlaced:
    - when: "=data.address.city != '' and data.amount > 1"
      set: {x: "=data.amount", y: "=version"}
  OrderPaid:
    key: all
    latest: {z: 1}
`)
	placed, paid := p.Events["OrderPlaced"], p.Events["OrderPaid"]
	if got := strings.Join(placed.Paths, " "); got != "address.city amount" {
		t.Errorf("paths are %s", got)
	}
	if placed.Needs != 1<<MetaStream|1<<MetaVersion || paid.Needs != 1<<MetaTime || len(paid.Paths) != 0 {
		t.Errorf("needs are %b and %b, paths %v", placed.Needs, paid.Needs, paid.Paths)
	}
	if p.Events["OrderCancelled"] != nil {
		t.Error("a type without rules is there")
	}
}
