package projection

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

// packed returns the batch as the script reads it.
func packed(t interface{ Fatalf(string, ...any) }, f *Fold) []string {
	b := f.pack("p:")
	var all []string
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return all
}

func TestFoldReducesABatch(t *testing.T) {
	f := NewFold(modelFields[:9])
	source := Source{}
	apply := func(steps ...rules.Step) {
		t.Helper()
		if err := f.Apply(source, steps); err != nil {
			t.Fatal(err)
		}
	}
	for range 1000 {
		apply(step("a", change(0, rules.OpSet, "x"), change(7, rules.OpAdd, 2), change(8, rules.OpAdd, dec("0.1"))))
	}
	if f.Rows() != 1 || f.Ops() != 3 {
		t.Errorf("%d rows, %d ops", f.Rows(), f.Ops())
	}
	want := "1 0 3 s s_string i a_int a a_decimal p:a x 2000 100"
	if got := strings.Join(packed(t, f), " "); got != want {
		t.Errorf("packed %s, want %s", got, want)
	}
	apply(rules.Step{Key: "a", Delete: true}) // the old value counts as absent, set then delete leaves nothing
	apply(step("b", change(0, rules.OpUnset, nil)), step("c"))
	if got := strings.Join(packed(t, f), " "); got != "1 1 0 p:a 1 0 1 u s_string p:b" || f.Ops() != 2 {
		t.Errorf("packed %s, %d ops", got, f.Ops())
	}
	apply(rules.Step{Key: "a", Delete: true, Changes: []rules.Change{change(0, rules.OpUnset, nil), change(7, rules.OpAdd, 5)}})
	if got := strings.Join(packed(t, f), " "); got != "1 1 1 i a_int p:a 5 1 0 1 u s_string p:b" || f.Ops() != 3 {
		t.Errorf("packed %s, %d ops", got, f.Ops())
	}
	if f.Reset(); f.Rows() != 0 || f.Ops() != 0 || len(packed(t, f)) != 0 {
		t.Errorf("after a reset: %d rows, %d ops", f.Rows(), f.Ops())
	}
}

// TestFoldKnowsWhatItHolds: what is kept for the next batch, too, within a third.
func TestFoldKnowsWhatItHolds(t *testing.T) {
	for _, w := range workloads {
		f := NewFold(w.fields)
		empty := heap()
		want := func(when string) {
			t.Helper()
			held, told := int64(heap()-empty), f.Memory()
			if told < held*2/3 || told > held*3/2 {
				t.Errorf("%s, %s: %d bytes are held, %d told", w.name, when, held, told)
			}
		}
		for i, s := range w.steps {
			if err := f.Apply(Source{Offset: int64(i)}, s); err != nil {
				t.Fatal(err)
			}
		}
		f.pack("millrace:{fine.3}:r:")
		want("full")
		f.Reset()
		want("emptied")
		if f.Free(); f.Memory() != 0 || f.Rows() != 0 {
			t.Errorf("%d bytes, %d rows after all was given back", f.Memory(), f.Rows())
		}
		if err := f.Apply(Source{}, w.steps[0]); err != nil || f.Rows() != 1 {
			t.Errorf("%d rows, %v", f.Rows(), err)
		}
	}
}

// heap is how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestNothingOfARefusedEventIsMerged: the error comes before the first step of
// the event is merged.
func TestNothingOfARefusedEventIsMerged(t *testing.T) {
	good := step("a", change(0, rules.OpSet, "x"))
	cases := map[string]struct {
		source Source
		step   rules.Step
	}{
		"the row key is empty":            {step: step("")},
		"the row key is not valid UTF-8":  {step: step("\xff")},
		"field s_string: the text is not": {step: step("a", change(0, rules.OpSet, "\xff"))},
		"field s_float: the value is not": {step: step("a", change(3, rules.OpSet, math.NaN()))},
		"finite number":                   {step: step("a", change(13, rules.OpMax, math.Inf(1)))},
		"more than 38 digits":             {step: step("a", change(8, rules.OpAdd, dec("1"+strings.Repeat("0", 38))))},
		"whole minutes":                   {step: step("a", change(5, rules.OpSet, streams.Time{Offset: 30}))},
		"within a day":                    {step: step("a", change(11, rules.OpMin, streams.Time{Offset: 86400}))},
		"op add on a field of family set": {step: step("a", change(2, rules.OpAdd, 1))},
		"op unset on a field of family":   {step: step("a", change(7, rules.OpUnset, nil))},
		"a change of field 17, of 17":     {step: step("a", change(17, rules.OpSet, 1))},
		"too many digits":                 {Source{Topic: 10000}, step("a", change(15, rules.OpLatest, "x"))},
		"or offset":                       {Source{Offset: -1}, step("a", change(15, rules.OpLatest, "x"))},
		"topic, partition":                {Source{Partition: 1e9}, step("a", change(15, rules.OpLatest, "x"))},
	}
	for want, c := range cases {
		f := NewFold(modelFields)
		err := f.Apply(c.source, []rules.Step{good, c.step})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if f.Rows() != 0 || f.Ops() != 0 {
			t.Errorf("%s: %d rows, %d ops", want, f.Rows(), f.Ops())
		}
	}
	sum := NewFold([]rules.Field{field("s", rules.FamilyAdd, streams.KindString)})
	if err := sum.Apply(Source{}, []rules.Step{step("a", change(0, rules.OpAdd, 1))}); err == nil {
		t.Error("a sum of strings")
	}
	if err := NewFold(modelFields).Apply(Source{}, []rules.Step{step("a", change(8, rules.OpAdd, dec("0."+strings.Repeat("1", 39))))}); !errors.Is(err, streams.ErrDecimalRange) {
		t.Errorf("error %v", err)
	}
}

// TestFoldKeepsNoFetchedBytes: what is folded stays when the buffers of the
// events are written over.
func TestFoldKeepsNoFetchedBytes(t *testing.T) {
	f := NewFold(modelFields)
	key, value := []byte("key"), []byte("value")
	if err := f.Apply(Source{}, []rules.Step{step(textOf(key), change(0, rules.OpSet, textOf(value)), change(15, rules.OpLatest, textOf(value)))}); err != nil {
		t.Fatal(err)
	}
	copy(key, "xxx")
	copy(value, "xxxxx")
	if got := fmt.Sprint(packed(t, f)); strings.Contains(got, "x") {
		t.Error(got)
	}
}

// TestOrderOfEventsDoesNotMatter for ops on shared fields: whatever the order
// of partitions and the cuts between batches, the rows have the same bytes.
func TestOrderOfEventsDoesNotMatter(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		rapid.Check(t, func(rt *rapid.T) {
			var log []event
			for _, e := range genLog(rt) {
				for i := range e.steps {
					e.steps[i].Delete = false
					e.steps[i].Changes = shared(e.steps[i].Changes)
				}
				log = append(log, e)
			}
			one := b.result(rt, log)
			shuffled := rapid.Permutation(log).Draw(rt, "order")
			if other := b.result(rt, shuffled); one != other {
				rt.Fatalf("rows\n%s\nin another order\n%s", one, other)
			}
		})
	})
}

// shared keeps the changes that are allowed on shared fields, and makes many
// times and ints equal.
func shared(all []rules.Change) (some []rules.Change) {
	for _, c := range all {
		f := &modelFields[c.Field]
		if f.Family == rules.FamilySet {
			continue
		}
		if f.Type.Kind == streams.KindTime || f.Type.Kind == streams.KindInt {
			c.Value.Slot.Bits >>= 62
		}
		some = append(some, c)
	}
	return some
}

// result applies the events in batches of random length to a new view, and
// returns its rows.
func (b *bench) result(t *rapid.T, log []event) string {
	b.wipe()
	b.begin(modelFields...)
	for len(log) > 0 {
		n := rapid.IntRange(1, len(log)).Draw(t, "batch")
		b.fold.Reset()
		for _, e := range log[:n] {
			if err := b.fold.Apply(e.src, e.steps); err != nil {
				t.Fatal(err)
			}
		}
		if a := b.send(b.fold); a.Kind != AnswerOK {
			t.Fatalf("%+v", a)
		}
		log = log[n:]
	}
	rows, err := ListRows(b.t.Context(), b.client, b.id, 100)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%q", rows)
}

// TestManyFields writes and reads rows of more fields than one unpack takes.
func TestManyFields(t *testing.T) {
	const n = 18_000 // unpack fails at 8,000
	fields := make([]rules.Field, n)
	var sets, adds, unsets []rules.Change
	for i := range fields {
		fields[i] = field("f"+strconv.Itoa(i), rules.FamilySet, streams.KindInt)
		if i%2 == 0 {
			fields[i].Family = rules.FamilyAdd
			adds = append(adds, change(i, rules.OpAdd, i))
			continue
		}
		sets, unsets = append(sets, change(i, rules.OpSet, i)), append(unsets, change(i, rules.OpUnset, nil))
	}
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(fields...)
		b.ok(step("a", append(adds, sets...)...))
		b.ok(step("a", append(unsets, adds...)...))
		row := b.row("a")
		if len(row) != n/2 {
			t.Errorf("%d fields", len(row))
		}
		for i := 0; i < n; i += 2 {
			if name := "f" + strconv.Itoa(i); row[name] != strconv.Itoa(2*i) {
				t.Fatalf("%s is %s", name, row[name])
			}
		}
		b.hset("r:a", "f17998", "much") // behind what one HMGET reads
		if a := b.apply(step("a", adds...)); a != (Answer{Kind: AnswerBad, Row: "a", Field: "f17998"}) {
			t.Errorf("answer %+v", a)
		}
		b.set(b.id.RowKey("c"), "text")
		if a := b.apply(step("c", adds...)); a != (Answer{Kind: AnswerBad, Row: "c"}) {
			t.Errorf("answer %+v", a)
		}
		b.ok(step("b", sets...))
		b.wantRows(2)
		b.ok(step("b", unsets...))
		b.wantRows(1)
	})
}

func FuzzPack(f *testing.F) {
	for _, s := range []string{"", "a", `"\`, "\x00\x1f\u2028", "ü", "\xff", "{}[],:"} {
		f.Add(s, s+"x", int64(len(s)), 1.5)
	}
	fields := []rules.Field{
		field(`n"`, rules.FamilySet, streams.KindString), field("b", rules.FamilySet, streams.KindBytes),
		field("t", rules.FamilyMin, streams.KindTime), field("f", rules.FamilySet, streams.KindFloat), field("l", rules.FamilyLatest, streams.KindInt),
	}
	f.Fuzz(func(t *testing.T, key, value string, n int64, x float64) {
		fold := NewFold(fields)
		err := fold.Apply(Source{Time: streams.Time{Nanos: n}}, []rules.Step{step(key,
			change(0, rules.OpSet, value), change(1, rules.OpSet, value), change(2, rules.OpMin, streams.Time{Nanos: n}),
			change(3, rules.OpSet, x), change(4, rules.OpLatest, n))})
		if bad := key == "" || !utf8.ValidString(key+value) || math.IsNaN(x) || math.IsInf(x, 0); bad != (err != nil) {
			if utf8.ValidString(key) && utf8.ValidString(value) || err == nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			return
		}
		all := packed(t, fold)
		const header = 3 + 5*2
		if len(all) != header+1+7 || all[header] != "p:"+key || all[header+1] != value || len(all[header+4]) != 24 || len(all[header+7]) != 52 {
			t.Fatalf("packed %q", all)
		}
		if back, err := strconv.ParseFloat(all[header+5], 64); err != nil || back != x {
			t.Fatalf("float %v is packed %s", x, all[header+5])
		}
		if all[header+6] != strconv.FormatInt(n, 10) {
			t.Fatalf("int %d is packed %s", n, all[header+6])
		}
	})
}
