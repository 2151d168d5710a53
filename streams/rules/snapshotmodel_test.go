package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams"
)

const (
	modelFold = foldHeader + `on:
  OrderPlaced:
    set: {note: "=data.coupon", weight: "=data.weight"}
    add: {paid: "=data.amount", big: 1}
    min: {first: "=data.placed"}
    max: {last: "=data.placed"}
  OrderPaid:
    - {when: "=data.express", set: {open: false}}
    - {when: "=not data.express", add: {paid: "=data.amount"}, unset: weight}
  OrderCancelled:
    - {delete: true, set: {note: "=data.coupon"}}
gone: "=not state.open"
`
	modelView = `name: orders
topics: [shop]
from: snapshots
key: "=[stream, 'order']"
on_error: stop
snapshot:
  set: {note: "=state.note", weight: "=state.weight", paid: "=state.paid", orders: "=state.big", first: "=state.first", last: "=state.last"}
on:
  OrderPlaced:
    set: {note: "=data.coupon", weight: "=data.weight"}
    add: {paid: "=data.amount", orders: 1}
    min: {first: "=data.placed"}
    max: {last: "=data.placed"}
  OrderPaid:
    - {when: "=data.express", delete: true}
    - {when: "=not data.express", add: {paid: "=data.amount"}, unset: weight}
  OrderCancelled:
    - {delete: true, set: {note: "=data.coupon"}}
`
)

// rows are those of a view, by key and field.
type rows map[string]map[string]Value

func (all rows) apply(p *Program, steps []Step) {
	for _, s := range steps {
		row := all[s.Key]
		if s.Delete || row == nil {
			row = map[string]Value{}
		}
		for _, ch := range s.Changes {
			f := p.Fields[ch.Field]
			before, there := row[f.Name]
			c := cmp.Or(ch.Value.Decimal.Cmp(before.Decimal), cmp.Compare(ch.Value.Slot.Bits, before.Slot.Bits))
			switch {
			case ch.Op == OpUnset:
				delete(row, f.Name)
			case ch.Op == OpSet || !there || ch.Op == OpMin && c < 0 || ch.Op == OpMax && c > 0:
				row[f.Name] = ch.Value
			case ch.Op == OpAdd:
				sum := before.Decimal.Add(ch.Value.Decimal)
				row[f.Name] = Value{Decimal: sum, Slot: streams.Slot{Bits: before.Slot.Bits + ch.Value.Slot.Bits}}
			}
		}
		if all[s.Key] = row; len(row) == 0 {
			delete(all, s.Key)
		}
	}
}

// text shows the rows, sorted.
func (all rows) text(p *Program) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "%s:", key)
		for _, f := range p.Fields {
			if v, ok := all[key][f.Name]; ok {
				fmt.Fprintf(&b, " %s %s", f.Name, valueText(f, v))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// placed is an event of a stream.
type placed struct {
	stream, eventType string
	event             event
}

func drawPlaced(t *rapid.T) placed {
	p := placed{
		stream:    rapid.SampledFrom([]string{"order-1", "order-2", "order-3"}).Draw(t, "stream"),
		eventType: rapid.SampledFrom([]string{"OrderPlaced", "OrderPlaced", "OrderPaid", "OrderCancelled"}).Draw(t, "type"),
	}
	p.event, _ = drawEvent(t)
	p.event["stream"] = p.stream
	p.event["data.weight"] = rapid.Float64Range(-9, 9).Draw(t, "weight")
	p.event["data.placed"] = streams.Time{Nanos: rapid.Int64Range(-9, 9).Draw(t, "placed")}
	p.event["data.amount"] = rapid.IntRange(-999, 999).Draw(t, "amount")
	return p
}

// folded are the states of the streams, as a compactor keeps them.
type folded map[string][]streams.Slot // nil: the stream has ended

func (f folded) apply(t testing.TB, p *FoldProgram, ev placed) {
	t.Helper()
	state := f[ev.stream]
	if state == nil {
		state = absentState(p)
	}
	e := p.Events[ev.eventType]
	gone, err := ev.event.eval(t, e, e.NewEvaluator(), state)
	if err != nil {
		t.Fatal(err)
	}
	if f[ev.stream] = state; gone {
		f[ev.stream] = nil
	}
}

// load makes the rows of the states.
func (f folded) load(t testing.TB, fold *FoldProgram, p *Program) rows {
	t.Helper()
	all := rows{}
	for stream, state := range f {
		e := p.Snapshot
		if state == nil {
			e = p.Gone
		}
		ev := event{"stream": stream}
		for _, path := range e.Paths {
			ev["data."+path] = state[slices.Index(fold.Fields, path)]
		}
		v := e.NewEvaluator()
		ev.into(t, v.Slots(), e.Paths)
		steps, err := v.Eval()
		if err != nil {
			t.Fatal(err)
		}
		all.apply(p, steps)
	}
	return all
}

func (all rows) replay(t testing.TB, p *Program, events []placed) string {
	t.Helper()
	for _, ev := range events {
		e := p.Events[ev.eventType]
		v := e.NewEvaluator()
		ev.event.fill(t, v, e)
		steps, err := v.Eval()
		if err != nil {
			t.Fatal(err)
		}
		all.apply(p, steps)
	}
	return all.text(p)
}

// TestRowsFromSnapshots: a view that begins with snapshots, at any event, has the
// rows that it has by replay.
func TestRowsFromSnapshots(t *testing.T) {
	fold := compiledFold(t, modelFold)
	p, problems := withFold(t, modelFold, modelView)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	rapid.Check(t, func(rt *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(drawPlaced), 1, 20).Draw(rt, "events")
		cut := rapid.IntRange(0, len(events)).Draw(rt, "cut")
		if got, want := fromCut(t, fold, p, events, cut), (rows{}).replay(t, p, events); got != want {
			rt.Fatalf("from snapshots after %d events:\n%sby replay:\n%s", cut, got, want)
		}
	})
}

// fromCut returns the rows of a view that begins with the snapshots of the first
// events.
func fromCut(t testing.TB, fold *FoldProgram, p *Program, events []placed, cut int) string {
	t.Helper()
	states := folded{}
	for _, ev := range events[:cut] {
		states.apply(t, fold, ev)
	}
	return states.load(t, fold, p).replay(t, p, events[cut:])
}
