package projection

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

// modelFields has a field for each way to keep a value.
var modelFields = []rules.Field{
	field("s_string", rules.FamilySet, streams.KindString),
	field("s_bool", rules.FamilySet, streams.KindBool),
	field("s_int", rules.FamilySet, streams.KindInt),
	field("s_float", rules.FamilySet, streams.KindFloat),
	field("s_decimal", rules.FamilySet, streams.KindDecimal),
	field("s_time", rules.FamilySet, streams.KindTime),
	field("s_bytes", rules.FamilySet, streams.KindBytes),
	field("a_int", rules.FamilyAdd, streams.KindInt),
	field("a_decimal", rules.FamilyAdd, streams.KindDecimal),
	field("n_int", rules.FamilyMin, streams.KindInt),
	field("n_float", rules.FamilyMin, streams.KindFloat),
	field("n_time", rules.FamilyMin, streams.KindTime),
	field("x_decimal", rules.FamilyMax, streams.KindDecimal),
	field("x_float", rules.FamilyMax, streams.KindFloat),
	field("x_time", rules.FamilyMax, streams.KindTime),
	field("l_string", rules.FamilyLatest, streams.KindString),
	field("l_time", rules.FamilyLatest, streams.KindTime),
}

// modelRow is a row as the model has it: big numbers, times and texts.
type modelRow map[string]any

// last is the value of a field of family latest.
type last struct {
	key  string
	text string
}

// modelRows applies events one by one, with nothing of what it checks.
type modelRows map[string]modelRow

func (m modelRows) apply(src Source, steps []rules.Step) {
	for _, s := range steps {
		if s.Delete {
			delete(m, s.Key)
		}
		for _, c := range s.Changes {
			m.change(src, s.Key, modelFields[c.Field], c)
		}
	}
}

func (m modelRows) change(src Source, key string, f rules.Field, c rules.Change) {
	if c.Op == rules.OpUnset {
		if delete(m[key], f.Name); len(m[key]) == 0 {
			delete(m, key)
		}
		return
	}
	if m[key] == nil {
		m[key] = modelRow{}
	}
	old := m[key][f.Name]
	m[key][f.Name] = modelValue(src, old, f, c)
}

func modelValue(src Source, old any, f rules.Field, c rules.Change) any {
	switch c.Op {
	case rules.OpAdd:
		sum := number(f.Type.Kind, &c.Value)
		if old != nil {
			sum.Add(sum, old.(*big.Rat))
		}
		return sum
	case rules.OpLatest:
		key := fmt.Sprintf("%020d%04d%09d%019d", uint64(src.Time.Nanos)+1<<63, src.Topic, src.Partition, src.Offset)
		if l, ok := old.(last); ok && l.key > key {
			return old
		}
		return last{key, text(f.Type.Kind, &c.Value)}
	case rules.OpMin, rules.OpMax:
		sign := map[rules.Op]int{rules.OpMin: -1, rules.OpMax: 1}[c.Op]
		if f.Type.Kind == streams.KindTime {
			now := c.Value.Slot.Time()
			if before, ok := old.(streams.Time); ok && orderOfTimes(now, before) != sign {
				return old
			}
			return now
		}
		now := number(f.Type.Kind, &c.Value)
		if before, ok := old.(*big.Rat); ok && now.Cmp(before) != sign {
			return old
		}
		return now
	}
	return text(f.Type.Kind, &c.Value)
}

func orderOfTimes(a, b streams.Time) int {
	if a.Nanos == b.Nanos {
		a.Nanos, b.Nanos = int64(a.Offset), int64(b.Offset)
	}
	return new(big.Int).Sub(big.NewInt(a.Nanos), big.NewInt(b.Nanos)).Sign()
}

// number is the value of a number, exactly.
func number(kind streams.Kind, v *rules.Value) *big.Rat {
	s := strconv.FormatInt(v.Slot.Int(), 10)
	switch kind {
	case streams.KindDecimal:
		s = v.Decimal.String()
	case streams.KindFloat:
		s = strconv.FormatFloat(v.Slot.Float(), 'g', -1, 64)
	}
	n, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return n
}

// plain is the canonical text of a number.
func plain(n *big.Rat) string {
	s := n.FloatString(400)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}

func text(kind streams.Kind, v *rules.Value) string {
	switch kind {
	case streams.KindString:
		return v.Slot.Str
	case streams.KindBytes:
		return base64.StdEncoding.EncodeToString([]byte(v.Slot.Str))
	case streams.KindBool:
		return fmt.Sprint(v.Slot.Bool())
	case streams.KindTime:
		return rfc3339(v.Slot.Time())
	}
	return plain(number(kind, v))
}

func rfc3339(t streams.Time) string {
	return time.Unix(0, t.Nanos).In(time.FixedZone("", int(t.Offset))).Format(time.RFC3339Nano)
}

// rows returns the rows as they are to stand in Redis.
func (m modelRows) rows() map[string]map[string]string {
	all := map[string]map[string]string{}
	for key, row := range m {
		r := map[string]string{}
		for name, v := range row {
			switch v := v.(type) {
			case *big.Rat:
				r[name] = plain(v)
			case streams.Time:
				r[name] = rfc3339(v)
				r[name+"@"] = fmt.Sprintf("%020d%04d", uint64(v.Nanos)+1<<63, v.Offset/60+1440)
			case last:
				r[name], r[name+"@"] = v.text, v.key
			default:
				r[name] = v.(string)
			}
		}
		all[key] = r
	}
	return all
}

var (
	genText = rapid.OneOf(rapid.SampledFrom([]string{"", `"`, `\`, "\x00\n", "paid", "ü‰\u2028", "{}[],"}), rapid.String())
	genTime = rapid.Custom(func(t *rapid.T) streams.Time {
		return streams.Time{
			Nanos:  rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64()).Draw(t, "nanos"),
			Offset: 60 * rapid.Int32Range(-1439, 1439).Draw(t, "minutes"),
		}
	})
	genFloat   = rapid.OneOf(rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 62.59, 5e-324, 1.7976931348623157e308}), rapid.Float64Range(-1e20, 1e20))
	genDecimal = rapid.Custom(func(t *rapid.T) streams.Decimal {
		digits := rapid.OneOf(rapid.StringMatching(`-?[0-9]{1,4}`), rapid.StringMatching(`-?[0-9]{1,20}`)).Draw(t, "whole")
		return dec(digits + rapid.SampledFrom([]string{"", ".0", ".5", ".25", ".999", ".1234567890"}).Draw(t, "fraction"))
	})
	genInt = rapid.OneOf(rapid.Int64Range(-9, 9), rapid.Int64Range(-1<<57, 1<<57))
	genKey = rapid.SampledFrom([]string{"a", "b", "pos", "ü\"\\\n|%7C", "{x}"})
)

// genChange draws a change of a field.
func genChange(t *rapid.T, i int) rules.Change {
	f := modelFields[i]
	op := map[rules.Family]rules.Op{
		rules.FamilySet: rules.OpSet, rules.FamilyAdd: rules.OpAdd, rules.FamilyMin: rules.OpMin,
		rules.FamilyMax: rules.OpMax, rules.FamilyLatest: rules.OpLatest,
	}[f.Family]
	if op == rules.OpSet && rapid.IntRange(0, 3).Draw(t, "unset") == 0 {
		return change(i, rules.OpUnset, nil)
	}
	var v any
	switch f.Type.Kind {
	case streams.KindString, streams.KindBytes:
		v = genText.Draw(t, "text")
	case streams.KindBool:
		v = rapid.Bool().Draw(t, "bool")
	case streams.KindInt:
		v = genInt.Draw(t, "int")
	case streams.KindFloat:
		v = genFloat.Draw(t, "float")
	case streams.KindDecimal:
		v = genDecimal.Draw(t, "decimal")
	case streams.KindTime:
		v = genTime.Draw(t, "time")
	}
	return change(i, op, v)
}

// genSteps draws what one event does. Unsets come first, as in a program.
var genSteps = rapid.Custom(func(t *rapid.T) []rules.Step {
	steps := make([]rules.Step, rapid.IntRange(1, 2).Draw(t, "steps"))
	for i := range steps {
		steps[i] = rules.Step{Key: genKey.Draw(t, "key"), Delete: rapid.IntRange(0, 7).Draw(t, "delete") == 0}
		fields := rapid.SliceOfNDistinct(rapid.IntRange(0, len(modelFields)-1), 0, 6, rapid.ID).Draw(t, "fields")
		for _, f := range fields {
			c := genChange(t, f)
			if c.Op == rules.OpUnset {
				steps[i].Changes = append([]rules.Change{c}, steps[i].Changes...)
			} else {
				steps[i].Changes = append(steps[i].Changes, c)
			}
		}
	}
	return steps
})

// genSource draws where an event at that offset comes from.
func genSource(t *rapid.T, offset int64) Source {
	return Source{Time: streams.Time{Nanos: rapid.Int64Range(-2, 2).Draw(t, "time")}, Topic: 1, Partition: 0, Offset: offset}
}

// event is one event of a random log.
type event struct {
	src   Source
	steps []rules.Step
}

func genLog(t *rapid.T) []event {
	log := make([]event, rapid.IntRange(1, 25).Draw(t, "events"))
	for i := range log {
		log[i] = event{genSource(t, int64(i)), genSteps.Draw(t, "steps")}
	}
	return log
}

// run is a random log that is applied batch by batch, with faults.
type run struct {
	*rapid.T
	*bench
	log []event
}

// TestRowsEqualTheModel cuts random logs at random places and applies the
// batches with lost replies, late batches, other owners and a wiped Redis: the
// rows are always those of the events applied one by one.
func TestRowsEqualTheModel(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		rapid.Check(t, func(rt *rapid.T) {
			b.wipe()
			r := run{rt, b.begin(modelFields...), genLog(rt)}
			for r.at.Position.Offset < int64(len(r.log)) {
				first := r.at.Position.Offset
				next := first + rapid.Int64Range(1, int64(len(r.log))-first).Draw(rt, "batch")
				r.fault(first, next)
				r.batch(r.at.Position.Offset, next)
			}
			r.compare()
		})
	})
}

// folded returns the events of a batch as one fold.
func (r run) folded(first, next int64) *Fold {
	r.fold.Reset()
	for _, e := range r.log[first:next] {
		if err := r.fold.Apply(e.src, e.steps); err != nil {
			r.Fatal(err)
		}
	}
	return r.fold
}

func (r run) batch(first, next int64) {
	if first >= next { // a wiped Redis begins again, and this batch is behind
		return
	}
	a := r.write(r.bench.batch(first, next, r.folded(first, next)))
	if a.Kind != AnswerOK {
		r.Fatalf("batch %d to %d: %+v", first, next, a)
	}
	r.at.Position = At(next)
}

// fault does one thing that may go wrong before a batch is applied. What it
// sends must change nothing.
func (r run) fault(first, next int64) {
	w := r.bench.batch(first, next, nil)
	switch rapid.IntRange(0, 5).Draw(r.T, "fault") {
	case 0: // the reply is lost: the batch is sent again
		r.batch(first, next)
		r.mustAnswer(w, Answer{Kind: AnswerStale, Position: At(next)})
	case 1: // a batch that comes late
		if first > 0 {
			w.First, w.Next = At(0), At(first)
			r.mustAnswer(w, Answer{Kind: AnswerStale, Position: At(first)})
		}
	case 2: // another owner
		r.at = r.assign(part0)
		r.mustAnswer(w, Answer{Kind: AnswerFenced, Epoch: r.at.Epoch})
	case 3:
		r.wipe()
		r.mustAnswer(w, Answer{Kind: AnswerWiped})
		r.define(definition())
		r.at = r.assign(part0)
		r.batch(0, first)
	case 4: // other rules
		d := definition()
		d.Digest = "d2"
		other := NewStore(r.client, r.id)
		other.definition.Store(&d)
		a, err := other.Apply(r.t.Context(), w)
		if err != nil || a.Kind != AnswerDigest {
			r.Fatal(a, err)
		}
	}
}

// mustAnswer sends a batch that must be refused, and looks that nothing changed.
func (r run) mustAnswer(w Write, want Answer) {
	if w.Next.Offset <= int64(len(r.log)) {
		w.Fold = r.folded(w.First.Offset, w.Next.Offset)
	}
	before := r.dump()
	if a := r.write(w); a != want {
		r.Fatalf("answer %+v, want %+v", a, want)
	}
	if after := r.dump(); !maps.Equal(before, after) {
		r.Fatalf("a refused batch changed\n%v\nto\n%v", before, after)
	}
}

func (r run) compare() {
	m := modelRows{}
	for _, e := range r.log {
		m.apply(e.src, e.steps)
	}
	want := m.rows()
	rows, err := ListRows(r.t.Context(), r.client, r.id, 100)
	if err != nil {
		r.Fatal(err)
	}
	got := map[string]map[string]string{}
	for _, row := range rows {
		got[row.Key] = row.Fields
	}
	if g, w := fmt.Sprintf("%q", got), fmt.Sprintf("%q", want); g != w {
		r.Fatalf("rows\n%s\nwant\n%s", g, w)
	}
	if b := r.bookkeeping(); b.Rows != int64(len(want)) || b.Positions[part0] != At(int64(len(r.log))) {
		r.Fatalf("%d rows at %v, want %d at %d", b.Rows, b.Positions, len(want), len(r.log))
	}
}
