package projection

import (
	"testing"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

func TestOpsOnRows(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(
			field("status", rules.FamilySet, streams.KindString),
			field("n", rules.FamilyAdd, streams.KindInt),
			field("sum", rules.FamilyAdd, streams.KindDecimal),
			field("low", rules.FamilyMin, streams.KindDecimal),
			field("high", rules.FamilyMax, streams.KindInt),
		)
		b.ok(
			step("a", change(0, rules.OpSet, "new"), change(1, rules.OpAdd, 1), change(2, rules.OpAdd, dec("31.30")),
				change(3, rules.OpMin, dec("2.5")), change(4, rules.OpMax, 7)),
			step("b", change(1, rules.OpAdd, 0)),
		)
		b.wantRow("a", "status=new n=1 sum=31.3 low=2.5 high=7")
		b.wantRow("b", "n=0")
		b.wantRows(2)
		b.ok(step("a", change(0, rules.OpUnset, nil), change(1, rules.OpAdd, -3), change(2, rules.OpAdd, dec("-31.3")),
			change(3, rules.OpMin, dec("2.49")), change(4, rules.OpMax, 5)))
		b.wantRow("a", "n=-2 sum=0 low=2.49 high=7")
		b.ok(rules.Step{Key: "a", Delete: true, Changes: []rules.Change{change(1, rules.OpAdd, 5)}}, rules.Step{Key: "b", Delete: true})
		b.wantRow("a", "n=5")
		b.wantRow("b", "")
		b.wantRows(1)
		if got := b.bookkeeping().Positions[part0]; got != At(3) {
			t.Errorf("position %v", got)
		}
	})
}

// TestNumberOfRowsBelowTheTruth: somebody set it, or deleted it. It is wrong then,
// but no number that the next batch is refused for.
func TestNumberOfRowsBelowTheTruth(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(counters...)
		add := func(key string) rules.Step { return step(key, change(1, rules.OpAdd, 1)) }
		b.ok(add("a"), add("b"), add("c"))
		b.wantRows(3)
		b.set(b.id.key(keyRows), "1")
		b.ok(rules.Step{Key: "a", Delete: true}, rules.Step{Key: "b", Delete: true})
		b.wantRows(0)
		b.ok(add("d"))
		b.wantRows(1)
		b.del(keyRows)
		b.ok(rules.Step{Key: "c", Delete: true})
		b.wantRows(0)
		b.ok(add("c"))
		b.wantRows(1)
	})
}

// TestLastFieldIsUnset: the row is gone with it, also where the batch had written
// it before, and is there where something else is written.
func TestLastFieldIsUnset(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(field("s", rules.FamilySet, streams.KindString), field("n", rules.FamilyAdd, streams.KindInt))
		set, unset, add := change(0, rules.OpSet, "x"), change(0, rules.OpUnset, nil), change(1, rules.OpAdd, 0)
		for i, c := range []struct {
			steps []rules.Step
			row   string
			rows  int64
		}{
			{[]rules.Step{step("a", set)}, "s=x", 1},
			{[]rules.Step{step("a", unset)}, "", 0},
			{[]rules.Step{step("a", unset)}, "", 0},
			{[]rules.Step{step("a", set), step("a", unset)}, "", 0},
			{[]rules.Step{step("a", unset), step("a", set)}, "s=x", 1},
			{[]rules.Step{step("a", unset), step("a", add)}, "n=0", 1},
			{[]rules.Step{step("a", set), {Key: "a", Delete: true}, step("a", unset)}, "", 0},
			{[]rules.Step{{Key: "a", Delete: true}, step("a", add, add)}, "n=0", 1},
			{[]rules.Step{step("a", change(1, rules.OpAdd, 5)), step("a", change(1, rules.OpAdd, -5))}, "n=0", 1},
		} {
			b.ok(c.steps...)
			b.wantRow("a", c.row)
			if b.wantRows(c.rows); t.Failed() {
				t.Fatalf("step %d", i)
			}
		}
	})
}
