package rules

import (
	"slices"
	"testing"

	"github.com/millrace/millrace/streams"
)

// benchmarkFold is what a fold of the fines needs, and a text that is built.
const benchmarkFold = foldHeader + `on:
  OrderPlaced:
    - when: "=state.status != 'closed'"
      set: {status: placed, note: "=data.address.city + '-' + data.customer_id"}
      add: {paid: "=data.amount", count: 1}
      min: {first: "=data.placed"}
      max: {last: "=time", weight: "=data.weight"}
gone: "=state.count > 1000 and (state.paid ?? 0) == 0"
`

func benchmarkFoldEvaluator(tb testing.TB) (*FoldEvaluator, []streams.Slot) {
	tb.Helper()
	p := compiledFold(tb, benchmarkFold)
	e := p.Events["OrderPlaced"]
	v := e.NewEvaluator()
	event{
		"data.amount": 5, "data.customer_id": "c-482913", "data.address.city": "Firenze", "data.weight": 1.5,
		"data.placed": timeOf(tb, "2024-05-01T10:11:12Z"), "time": timeOf(tb, "2024-05-01T10:11:12.345+02:00"),
	}.into(tb, v.Slots(), e.Paths)
	state := absentState(p)
	state[slices.Index(p.Fields, "first")] = streams.Slot{Bits: 1}
	return v, state
}

// BenchmarkFold evaluates two conditions and seven ops; neither the event nor the
// state is read or written.
func BenchmarkFold(b *testing.B) {
	v, state := benchmarkFoldEvaluator(b)
	fresh := slices.Clone(state)
	b.ReportAllocs()
	for b.Loop() {
		copy(state, fresh)
		if _, err := v.Eval(state); err != nil {
			b.Fatal(err)
		}
	}
}

// TestFoldDoesNotAllocate once the scratch memory has grown.
func TestFoldDoesNotAllocate(t *testing.T) {
	v, state := benchmarkFoldEvaluator(t)
	if n := testing.AllocsPerRun(100, func() {
		if gone, err := v.Eval(state); err != nil || gone {
			t.Fatal(gone, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

// TestSnapshotDoesNotAllocate once the scratch memory has grown.
func TestSnapshotDoesNotAllocate(t *testing.T) {
	p, problems := withFold(t, orderFold, fromSnapshots)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	v := p.Snapshot.NewEvaluator()
	event{"stream": "order-7", "data.status": "placed", "data.paid": 1250}.into(t, v.Slots(), p.Snapshot.Paths)
	if n := testing.AllocsPerRun(100, func() {
		if steps, err := v.Eval(); err != nil || len(steps) != 1 || len(steps[0].Changes) != 2 {
			t.Fatal(steps, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a snapshot", n)
	}
}

// TestForgetDropsTheEvent: nothing of the event, the state or the snapshot is held.
func TestForgetDropsTheEvent(t *testing.T) {
	v, state := benchmarkFoldEvaluator(t)
	if _, err := v.Eval(state); err != nil {
		t.Fatal(err)
	}
	v.Forget()
	empty(t, v.rules)
	p, _ := withFold(t, orderFold, fromSnapshots)
	snapshot := p.Snapshot.NewEvaluator()
	event{"stream": "order-7", "data.status": "placed", "data.paid": 1250}.into(t, snapshot.Slots(), p.Snapshot.Paths)
	if steps, err := snapshot.Eval(); err != nil || steps[0].Changes[0].Value.Slot.Str != "placed" {
		t.Fatal(steps, err)
	}
	snapshot.Forget()
	empty(t, snapshot)
}

func empty(t *testing.T, v *Evaluator) {
	t.Helper()
	for _, s := range v.slots {
		if s != (streams.Slot{}) {
			t.Errorf("a slot holds %+v", s)
		}
	}
	for _, ch := range v.given[:cap(v.given)] {
		if ch.Value.Slot.Str != "" {
			t.Errorf("a change holds %+v", ch)
		}
	}
	for i, s := range v.ready {
		for k, ch := range s.Changes {
			if s.Key != "" || v.event.rules[i].changes[k].put != nil && ch.Value.Slot.Str != "" {
				t.Errorf("a step holds %+v", s)
			}
		}
	}
}
