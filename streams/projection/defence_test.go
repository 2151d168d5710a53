package projection

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

// foreignFields has a field for each kind of op that reads.
var foreignFields = []rules.Field{
	field("status", rules.FamilySet, streams.KindString),
	field("n", rules.FamilyAdd, streams.KindInt),
	field("sum", rules.FamilyAdd, streams.KindDecimal),
	field("low", rules.FamilyMin, streams.KindDecimal),
	field("high", rules.FamilyMax, streams.KindInt),
	field("first", rules.FamilyMin, streams.KindTime),
	field("final", rules.FamilyMax, streams.KindTime),
	field("who", rules.FamilyLatest, streams.KindString),
}

// fullStep writes every field of a row.
func fullStep(key string) rules.Step {
	return step(key,
		change(0, rules.OpSet, "new"), change(1, rules.OpAdd, 1), change(2, rules.OpAdd, dec("0.1")),
		change(3, rules.OpMin, dec("2.5")), change(4, rules.OpMax, 7),
		change(5, rules.OpMin, at("2000-01-01T00:00:00+01:00")), change(6, rules.OpMax, at("2000-01-01T00:00:00Z")),
		change(7, rules.OpLatest, "me"))
}

// defences are the checks of the script: for each, what goes wrong, and what
// the script must answer.
var defences = []struct {
	check  string
	damage func(b *bench)
	want   Answer
}{
	{"wiped", func(b *bench) { b.del(keyDefinition) }, Answer{Kind: AnswerWiped}},
	{"digest", func(b *bench) { b.hset(keyDefinition, fieldDigest, "d2") }, Answer{Kind: AnswerDigest, Digest: "d2"}},
	{"fenced", func(b *bench) { b.assign(part0) }, Answer{Kind: AnswerFenced, Epoch: 2}},
	{"fenced", func(b *bench) { b.hset(keyEpochs, "fines/0", "many") }, Answer{Kind: AnswerBad, Field: "m:epoch fines/0"}},
	{"stale", func(b *bench) { b.at.Position = At(0) }, Answer{Kind: AnswerStale, Position: At(1)}},
	{"stale", func(b *bench) { b.hset(keyPositions, "fines/0", "7") }, Answer{Kind: AnswerStale, Position: At(7)}},
	{"stale", func(b *bench) { b.del(keyPositions) }, Answer{Kind: AnswerStale, Position: At(Absent)}},
	{"rows", func(b *bench) { b.set(b.id.key(keyRows), "few") }, Answer{Kind: AnswerBad, Field: "m:rows"}},
	{"int", func(b *bench) { b.hset("r:a", "n", "1.5") }, Answer{Kind: AnswerBad, Row: "a", Field: "n"}},
	{"int", func(b *bench) { b.hset("r:a", "n", "0x10") }, Answer{Kind: AnswerBad, Row: "a", Field: "n"}},
	{"int", func(b *bench) { b.hset("r:a", "n", strings.Repeat("1", 401)) }, Answer{Kind: AnswerBad, Row: "a", Field: "n"}},
	{"range-int", func(b *bench) { b.hset("r:a", "n", "9223372036854775807") }, Answer{Kind: AnswerRange, Row: "a", Field: "n"}},
	{"decimal", func(b *bench) { b.hset("r:a", "sum", "inf") }, Answer{Kind: AnswerBad, Row: "a", Field: "sum"}},
	{"decimal", func(b *bench) { b.hset("r:a", "sum", "1e3") }, Answer{Kind: AnswerBad, Row: "a", Field: "sum"}},
	{"range-decimal", func(b *bench) { b.hset("r:a", "sum", strings.Repeat("9", 38)) }, Answer{Kind: AnswerRange, Row: "a", Field: "sum"}},
	{"least", func(b *bench) { b.hset("r:a", "low", "nan") }, Answer{Kind: AnswerBad, Row: "a", Field: "low"}},
	{"greatest", func(b *bench) { b.hset("r:a", "high", "") }, Answer{Kind: AnswerBad, Row: "a", Field: "high"}},
	{"order", func(b *bench) { b.hset("r:a", "first@", "9") }, Answer{Kind: AnswerBad, Row: "a", Field: "first"}},
	{"order", func(b *bench) { b.hset("r:a", "final@", strings.Repeat("x", 24)) }, Answer{Kind: AnswerBad, Row: "a", Field: "final"}},
	{"order", func(b *bench) { b.hdel("r:a", "who@") }, Answer{Kind: AnswerBad, Row: "a", Field: "who"}},
	{"order", func(b *bench) { b.hdel("r:a", "who") }, Answer{Kind: AnswerBad, Row: "a", Field: "who"}},
	{"type", func(b *bench) { b.set(b.id.RowKey("a"), "text") }, Answer{Kind: AnswerBad, Row: "a"}},
	{"type", func(b *bench) { b.set(b.id.RowKey("z"), "text") }, Answer{Kind: AnswerBad, Row: "z"}},
	{"book", func(b *bench) { b.set(b.id.key(keyPositions), "text") }, Answer{Kind: AnswerBad, Field: "m:pos"}},
	{"book", func(b *bench) { b.set(b.id.key(keyEpochs), "text") }, Answer{Kind: AnswerBad, Field: "m:epoch"}},
	{"book", func(b *bench) { b.set(b.id.key(keyDefinition), "text") }, Answer{Kind: AnswerBad, Field: "m:def"}},
	{"book", func(b *bench) { b.loads("d1"); b.set(b.id.key(keyLoads), "text") }, Answer{Kind: AnswerBad, Field: "m:load"}},
	{"load-topic", func(b *bench) { b.loads("d1"); b.hset(keyDefinition, fieldSnapshots, "t/2") }, Answer{Kind: AnswerLoad, Field: fieldSnapshots, Digest: "t/2"}},
	{"load-fold", func(b *bench) { b.loads("d1"); b.hset(keyDefinition, fieldFold, "d2") }, Answer{Kind: AnswerLoad, Field: fieldFold, Digest: "d2"}},
	{"load-age", func(b *bench) { b.loads("d1"); b.hset(keyLoads, "fines/0", "1000") }, Answer{Kind: AnswerLoad, Field: keyLoads, Digest: "1000"}},
	{"load-age", func(b *bench) { b.loads("d1"); b.hset(keyLoads, "fines/0", "0x10") }, Answer{Kind: AnswerBad, Field: "m:load fines/0"}},
	{"book", func(b *bench) { b.del(keyRows); b.hset(keyRows, "a", "b") }, Answer{Kind: AnswerBad, Field: "m:rows"}},
}

// loads makes the next batches those of a load.
func (b *bench) loads(fold string) {
	b.load = &Load{Topic: "t/1", Fold: fold, Since: time.Now(), Patience: time.Hour}
}

// hset, hdel, set and del are what somebody else does to the keys.
func (b *bench) hset(key, field, value string) {
	b.t.Helper()
	b.must(b.client.HSet(ctx(b.t), b.id.key(key), field, value).Err())
}

func (b *bench) hdel(key, field string) {
	b.t.Helper()
	b.must(b.client.HDel(ctx(b.t), b.id.key(key), field).Err())
}

func (b *bench) set(key, value string) {
	b.t.Helper()
	b.must(b.client.Set(ctx(b.t), key, value, 0).Err())
}

func (b *bench) del(key string) {
	b.t.Helper()
	b.must(b.client.Del(ctx(b.t), b.id.key(key)).Err())
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// TestEachCheckOfTheScript damages something and looks that the batch is
// refused with nothing written. With the check cut out of the script, that must
// not be so: a check that nobody misses defends nothing.
func TestEachCheckOfTheScript(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		for i, d := range defences {
			t.Run(fmt.Sprintf("%s-%d", d.check, i), func(t *testing.T) {
				if err := attempt(b, d.damage, d.want, applySource); err != nil {
					t.Error(err)
				}
				if err := attempt(b, d.damage, d.want, without(t, d.check)); err == nil {
					t.Error("the same without the check")
				}
			})
		}
	})
}

// attempt applies a batch to two rows after some damage, with that script.
func attempt(b *bench, damage func(*bench), want Answer, script string) error {
	b.wipe()
	b.begin(foreignFields...)
	b.store.scripts = newScripts()
	b.ok(fullStep("a"))
	damage(b)
	before := b.dump()
	b.store.scripts.apply = redis.NewScript(script)
	b.fold.Reset()
	b.must(b.fold.Apply(Source{Offset: 1}, []rules.Step{step("y", change(0, rules.OpSet, "b")), fullStep("a"), step("z", change(0, rules.OpSet, "c"))}))
	a, err := b.store.Apply(ctx(b.t), b.next(b.fold))
	if err != nil {
		return err
	}
	if a != want {
		return fmt.Errorf("answer %+v, want %+v", a, want)
	}
	if after := b.dump(); !maps.Equal(before, after) {
		return fmt.Errorf("a refused batch changed\n%v\nto\n%v", before, after)
	}
	return nil
}

// without cuts a check out of the script that applies batches.
func without(t *testing.T, check string) string {
	t.Helper()
	return cut(t, applySource, check)
}

// cut cuts a check out of a script.
func cut(t *testing.T, script, check string) string {
	t.Helper()
	block := regexp.MustCompile(`(?s)--<` + check + `>\n.*?--</` + check + `>`)
	if !block.MatchString(script) {
		t.Fatalf("the script has no check %q", check)
	}
	return block.ReplaceAllString(script, "")
}

// TestEveryCheckHasADefence looks that no check of the script is without a case.
func TestEveryCheckHasADefence(t *testing.T) {
	tested := map[string]bool{}
	for _, d := range defences {
		tested[d.check] = true
	}
	for _, m := range regexp.MustCompile(`--<(.*)>`).FindAllStringSubmatch(applySource, -1) {
		if !tested[strings.TrimPrefix(m[1], "/")] {
			t.Errorf("no case for check %s", m[1])
		}
	}
}

// TestFirstPassComesBeforeWrites: with a foreign value at any place of the batch,
// nothing of the batch is written, and the same batch is applied once the value
// is gone.
func TestFirstPassComesBeforeWrites(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(foreignFields...)
		keys := []string{"a", "b", "c"}
		steps := make([]rules.Step, len(keys))
		for i, k := range keys {
			steps[i] = fullStep(k)
		}
		b.ok(steps...)
		for _, key := range keys {
			for i, f := range foreignFields[1:] {
				name := f.Name
				if i >= 4 {
					name += "@"
				}
				good := b.row(key)[name]
				b.hset("r:"+key, name, "foreign")
				refuse(t, b, steps, Answer{Kind: AnswerBad, Row: key, Field: f.Name})
				b.hset("r:"+key, name, good)
			}
			row := b.client.HGetAll(ctx(t), b.id.RowKey(key)).Val()
			b.set(b.id.RowKey(key), "foreign")
			refuse(t, b, steps, Answer{Kind: AnswerBad, Row: key})
			b.del("r:" + key)
			b.must(b.client.HSet(ctx(t), b.id.RowKey(key), row).Err())

			b.hset("r:"+key, "sum", "-"+strings.Repeat("9", 38))
			steps[0].Changes[2].Value.Decimal = dec("0.1") // a fraction is one digit too many
			refuse(t, b, steps, Answer{Kind: AnswerRange, Row: key, Field: "sum"})
			b.hset("r:"+key, "sum", "0.1")
		}
		b.ok(steps...)
		for _, key := range keys {
			if row := b.row(key); row["sum"] != "0.2" || row["n"] != "2" {
				t.Errorf("row %s is %v", key, row)
			}
		}
		b.wantRows(3)
	})
}

// TestOnePassIsNotEnough: a script that checks each row just before it writes it
// refuses the same batches, and what stands before the foreign value is applied
// at every try.
func TestOnePassIsNotEnough(t *testing.T) {
	const check, write = "    check(g, at)\n    if refused then return refused end\n", "do write(g, at) end\n"
	if strings.Count(applySource, check) != 1 || strings.Count(applySource, write) != 1 {
		t.Fatal("the passes of the script are not where this test looks for them")
	}
	onePass := strings.NewReplacer(check, "", write, "do\n"+check+"write(g, at) end\n").Replace(applySource)
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(foreignFields...)
		steps := []rules.Step{fullStep("a"), fullStep("b"), fullStep("c")}
		b.ok(steps...)
		b.store.scripts.apply = redis.NewScript(onePass)
		b.hset("r:c", "sum", "foreign")
		for range 2 {
			if a, want := b.apply(steps...), (Answer{Kind: AnswerBad, Row: "c", Field: "sum"}); a != want {
				t.Fatalf("answer %+v, want %+v", a, want)
			}
		}
		if n := b.row("a")["n"]; n != "3" {
			t.Errorf("row a counts %s, want what two refused tries have added to 1", n)
		}
	})
}

func refuse(t *testing.T, b *bench, steps []rules.Step, want Answer) {
	t.Helper()
	before := b.dump()
	if a := b.apply(steps...); a != want {
		t.Fatalf("answer %+v, want %+v", a, want)
	}
	if after := b.dump(); !maps.Equal(before, after) {
		t.Fatalf("a refused batch changed\n%v\nto\n%v", before, after)
	}
}
