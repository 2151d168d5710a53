package rules

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace/millrace/streams"
)

// snapshotOf fills the slots of an event that reads a state.
func (ev event) snapshotOf(tb testing.TB, p *Program, e *Event) (string, error) {
	tb.Helper()
	v := e.NewEvaluator()
	state := event{"stream": "order-7"}
	for name, value := range ev {
		if name == "version" {
			state[name] = value
		}
		state["data."+name] = value
	}
	state.into(tb, v.Slots(), e.Paths)
	steps, err := v.Eval()
	return show(p, steps), err
}

func TestSnapshotSteps(t *testing.T) {
	const view = `name: orders
topics: [shop]
from: snapshots
key: "=['o', stream]"
on_error: stop
snapshot:
  when: "=state.status != 'hidden'"
  set:
    status: "=state.status"
    paid: "=state.paid"
    sum: "=state.weight"
    first: "=state.first"
    most: "=state.count"
    version: "=version"
    kind: order
    name: "=stream.key"
on:
  OrderPlaced:
    set: {status: placed}
    add: {paid: "=data.amount", sum: "=data.weight"}
    min: {first: "=data.placed"}
    max: {most: "=data.amount"}
`
	p, problems := withFold(t, foldHeader+`on:
  OrderPlaced:
    set: {status: a, weight: 1, count: 1}
    add: {paid: 1}
    min: {first: "=time"}
`, view)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got := strings.Join(p.Snapshot.Paths, " "); got != "status paid weight first count" {
		t.Errorf("paths are %s", got)
	}
	if p.Snapshot.Type != "OrderState" || p.Snapshot.Needs != 1<<MetaStream|1<<MetaVersion || p.Gone.Needs != 1<<MetaStream || len(p.Gone.Paths) != 0 {
		t.Errorf("got %+v, %+v", p.Snapshot, p.Gone)
	}
	tests := []struct {
		state event
		want  string
	}{
		{event{"status": "paid", "paid": 1250, "weight": 0.1, "first": timeOf(t, "2000-01-01T00:00:00Z"), "count": 3, "version": 5},
			"o|order-7: delete, set status paid, add paid 12.5, add sum 0.1, min first 2000-01-01T00:00:00Z, max most 3, set version 5, set kind order, set name 7"},
		{event{"status": "paid", "count": 3, "version": 5}, "o|order-7: delete, set status paid, max most 3, set version 5, set kind order, set name 7"},
		{event{"status": "hidden", "paid": 1250, "count": 3}, "o|order-7: delete"},
	}
	for _, tt := range tests {
		if got, err := tt.state.snapshotOf(t, p, p.Snapshot); got != tt.want || err != nil {
			t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
		}
	}
	if got, err := (event{}).snapshotOf(t, p, p.Gone); got != "o|order-7: delete" || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestKeyOfWhatIsGone is that of snapshot, also where it takes scratch memory.
func TestKeyOfWhatIsGone(t *testing.T) {
	p := compiled(t, strings.Replace(fromSnapshots, `"=stream"`, `"=[(stream == 'a' ? nil : 'b') ?? 'c', stream]"`, 1)+"  OrderPaid: {delete: true}\n")
	for _, e := range []*Event{p.Snapshot, p.Gone} {
		if got, err := (event{}).snapshotOf(t, p, e); !strings.HasPrefix(got, "b|order-7: delete") || err != nil {
			t.Errorf("got %s, %v", got, err)
		}
	}
}

// TestSnapshotNeeds what the condition reads, too; what is gone only needs the key.
func TestSnapshotNeeds(t *testing.T) {
	p := compiled(t, strings.Replace(fromSnapshots, "snapshot:\n", "snapshot:\n  when: \"=version > 1\"\n", 1)+"  OrderPaid: {delete: true}\n")
	if p.Snapshot.Needs != 1<<MetaStream|1<<MetaVersion || p.Gone.Needs != 1<<MetaStream {
		t.Errorf("got %b and %b", p.Snapshot.Needs, p.Gone.Needs)
	}
}

// TestFieldOfSnapshotsAlone is set, whatever the rules of events write.
func TestFieldOfSnapshotsAlone(t *testing.T) {
	p, problems := withFold(t, orderFold, strings.Replace(fromSnapshots, "set: {status: \"", "set: {first: \"=state.first\", status: \"", 1))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := "first set time, paid add decimal, status set string"
	var got []string
	for _, f := range p.Fields {
		got = append(got, fmt.Sprintf("%s %v %v", f.Name, f.Family, f.Type.Kind))
	}
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
	v, _ := parseView(t, strings.Replace(fromSnapshots, "set: {status: \"", "set: {first: \"=state.first\", status: \"", 1))
	if got := strings.Join(v.Fields(), " "); got != "status paid first" {
		t.Errorf("the fields are %s", got)
	}
}

// TestSnapshotErrors: the error of a snapshot leaves no step.
func TestSnapshotErrors(t *testing.T) {
	p, problems := withFold(t, orderFold, strings.Replace(fromSnapshots, "=state.paid", "=div(1, state.paid ?? 0, 2)", 1))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got, err := (event{"status": "a", "paid": 0}).snapshotOf(t, p, p.Snapshot); got != "" || !errors.Is(err, streams.ErrDivisionByZero) {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestFoldWithoutState has a problem of its own, which the view does not repeat.
func TestFoldWithoutState(t *testing.T) {
	v, _ := parseView(t, fromSnapshots)
	o := testOptions
	o.Fold = func(string) *Fold { return &Fold{Name: "order", broken: true} }
	if _, problems := v.Compile(o); len(problems) > 0 {
		t.Errorf("got %v", problems)
	}
}

// TestViewsFromEventsHaveNoSnapshot.
func TestViewsFromEventsHaveNoSnapshot(t *testing.T) {
	if p := compiled(t, on("    set: {x: 1}\n")); p.Snapshot != nil || p.Gone != nil {
		t.Errorf("got %+v, %+v", p.Snapshot, p.Gone)
	}
}
