package rules

import (
	"testing"

	"github.com/millrace/millrace/streams"
)

// benchmarkRules are what a view of the sales of each customer needs.
const benchmarkRules = `name: customers
topics: [shop]
on_error: stop
on:
  OrderPlaced:
    when: "=data.amount > 100"
    key: "='customer:' + data.customer_id"
    add: {spent: "=data.amount", orders: 1}
    max: {largest: "=data.amount"}
    latest: {city: "=data.address.city"}
`

func benchmarkEvaluator(tb testing.TB) *Evaluator {
	tb.Helper()
	p := compiled(tb, benchmarkRules)
	e := p.Events["OrderPlaced"]
	v := e.NewEvaluator()
	event{
		"data.amount": 25_050, "data.customer_id": "c-482913", "data.address.city": "Firenze",
		"time": timeOf(tb, "2024-05-01T10:11:12.345+02:00"),
	}.fill(tb, v, e)
	return v
}

// BenchmarkEval evaluates a condition, a key and four ops; not the reading of the
// event.
func BenchmarkEval(b *testing.B) {
	v := benchmarkEvaluator(b)
	b.ReportAllocs()
	for b.Loop() {
		if steps, err := v.Eval(); err != nil || len(steps) != 1 {
			b.Fatal(steps, err)
		}
	}
}

// BenchmarkExpressions evaluates one expression each as the set of a field.
func BenchmarkExpressions(b *testing.B) {
	for _, expr := range []string{
		"data.article", "data.article * 2 + 1", "data.amount", "data.amount * 2 - (data.discount ?? 0)",
		"data.weight / 2", "data.customer_id", "data.address.city + '-' + data.customer_id", "month(time, 'as written')",
		"day(time, 'Europe/Rome')", "data.customer_id in ['a', 'b', 'c']",
	} {
		b.Run(expr, func(b *testing.B) {
			p := compiled(b, header+"on:\n  OrderPlaced:\n    set: {x: "+quote(expr)+"}\n")
			e := p.Events["OrderPlaced"]
			v := e.NewEvaluator()
			full(b).fill(b, v, e)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Eval(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestEvalDoesNotAllocate once the scratch memory has grown.
func TestEvalDoesNotAllocate(t *testing.T) {
	v := benchmarkEvaluator(t)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := v.Eval(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
	p := compiled(t, header+`on:
  OrderPlaced:
    - key: "=month(time, 'as written')"
      add: {x: "=data.amount * 2 - (data.discount ?? 0)"}
      max: {y: "=data.weight + 1", z: "=int(data.amount)"}
      latest: {c: "=data.coupon ?? 'none'", d: "=day(data.placed, 'Europe/Rome') + upper(data.address.city)"}
`)
	e := p.Events["OrderPlaced"]
	v = e.NewEvaluator()
	full(t).fill(t, v, e)
	v.Slots()[0] = streams.Slot{Bits: 1}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := v.Eval(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}
