package projection

import (
	"fmt"
	"testing"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

func (b *bench) status() Status {
	b.t.Helper()
	s, err := ReadStatus(ctx(b.t), b.client, b.id)
	b.must(err)
	return s
}

func TestStatus(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		wantState := func(s Status, want State, parts ...State) {
			t.Helper()
			var got []State
			for _, p := range s.Partitions {
				got = append(got, p.State)
			}
			if s.State != want || fmt.Sprint(got) != fmt.Sprint(parts) {
				t.Errorf("%s, partitions %v; want %s, %v", s.State, got, want, parts)
			}
		}
		if s := b.status(); s.State != StateBuilding || s.Definition != nil {
			t.Errorf("of nothing: %+v", s)
		}
		b.begin(counters...)
		b.ok(step("a", change(1, rules.OpAdd, 1)))
		wantState(b.status(), StateBuilding, StateBuilding, StateBuilding)
		b.mark(part0, 1)
		wantState(b.status(), StateBuilding, StateHot, StateBuilding)
		b.assign(part1)
		b.mark(part1, 0)
		s := b.status()
		wantState(s, StateHot, StateHot, StateHot)
		if p := s.Partitions[0]; !s.Live || s.Rows != 1 || p.Position != 1 || p.Mark != 1 || p.Epoch != 1 || p.Seen.IsZero() {
			t.Errorf("status %+v", s)
		}
		b.must(b.store.RaiseMark(ctx(t), part0, 1, 8))
		wantState(b.status(), StateRebuilding, StateRebuilding, StateHot)
	})
}

func TestListViews(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(counters...)
		b.ok(step("m:def", change(1, rules.OpAdd, 1)), step("x}:m:def", change(1, rules.OpAdd, 1)))
		for p := range int32(2) {
			b.assign(streams.Partition{Topic: "fines", Partition: p})
			b.mark(streams.Partition{Topic: "fines", Partition: p}, 0)
		}
		second := ViewID{b.id.Prefix, "fine", 12}
		b.must(NewStore(b.client, second).Define(ctx(t), definition()))
		other := ViewID{b.id.Prefix, "articles", 1}
		b.must(NewStore(b.client, other).Define(ctx(t), definition()))
		ids, live, err := ListViews(ctx(t), b.client, b.id.Prefix)
		if want := []ViewID{other, b.id, second}; err != nil || fmt.Sprint(ids) != fmt.Sprint(want) || fmt.Sprint(live) != "map[fine:3]" {
			t.Errorf("views %v, live %v, %v", ids, live, err)
		}
	})
}

func TestListRows(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(counters...)
		for _, key := range []string{"b", "a", "m:pos", "*"} {
			b.ok(step(key, change(1, rules.OpAdd, 1)))
		}
		for limit, want := range map[int]int{0: 0, 3: 3, 4: 4, 100: 4} {
			rows, err := ListRows(ctx(t), b.client, b.id, limit)
			if err != nil || len(rows) != want {
				t.Errorf("limit %d: %v, %v", limit, rows, err)
			}
		}
		rows, _ := ListRows(ctx(t), b.client, b.id, 100)
		if got := fmt.Sprint(rows); got != "[{* map[fines:1]} {a map[fines:1]} {b map[fines:1]} {m:pos map[fines:1]}]" {
			t.Errorf("rows %s", got)
		}
		if row := b.row("none"); row != nil {
			t.Errorf("a row that is not there: %v", row)
		}
	})
}

func TestViewIDs(t *testing.T) {
	id := ViewID{"millrace:", "fine", 3}
	if got := id.RowKey("fine-S38735"); got != "millrace:{fine.3}:r:fine-S38735" {
		t.Error(got)
	}
	for s, want := range map[string]ViewID{"fine.3": id, "fine": {}, ".3": {}, "fine.0": {}, "fine.x": {}} {
		if got, ok := parseViewID("millrace:", s); ok != (want != ViewID{}) || ok && got != want {
			t.Errorf("%s: %+v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "fines", "/1", "fines/", "fines/-1", "fines/x", "fines/99999999999"} {
		if p, err := parsePartition(s); err == nil {
			t.Errorf("%q is %v", s, p)
		}
	}
}
