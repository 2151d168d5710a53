package projection

import (
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// genDamage draws a value of a field that no op of ours leaves, or one that it
// may leave.
var genDamage = rapid.OneOf(
	rapid.SampledFrom([]string{
		"", "text", "0x10", "1e3", "inf", "-inf", "nan", "1.", ".5", "-", "+1", " 1", "1 ", "1\n", "--1", "1.2.3", "٣",
		"-0", "007", "-9223372036854775808", "9223372036854775807", "9223372036854775808",
		strings.Repeat("9", 15), strings.Repeat("9", 16), strings.Repeat("9", 38), strings.Repeat("9", 39), "0." + strings.Repeat("9", 38),
		strings.Repeat("1", 400), strings.Repeat("1", 401), strings.Repeat("0", 24), strings.Repeat("0", 52),
	}),
	rapid.StringMatching(`-?[0-9]{1,40}(\.[0-9]{1,40})?`),
	rapid.String(),
)

// damage has somebody else write to a key of the view.
func (r run) damage(t *rapid.T) {
	key := r.id.key(rapid.SampledFrom([]string{keyDefinition, keyPositions, keyEpochs, keyRows}).Draw(t, "book"))
	if rapid.IntRange(0, 3).Draw(t, "of a row") > 0 {
		key = r.id.RowKey(genKey.Draw(t, "key"))
	}
	c := r.client
	switch kind := rapid.IntRange(0, 9).Draw(t, "damage"); kind {
	case 0:
		c.Del(r.t.Context(), key)
	case 1:
		c.Set(r.t.Context(), key, genDamage.Draw(t, "value"), 0)
	case 2, 3, 4:
		c.Del(r.t.Context(), key)
		c.RPush(r.t.Context(), key, "a")
		if kind == 3 {
			c.Del(r.t.Context(), key)
			c.SAdd(r.t.Context(), key, "a")
		}
	default:
		field := rapid.SampledFrom(modelFields).Draw(t, "field").Name + rapid.SampledFrom([]string{"", "@"}).Draw(t, "sort key")
		if strings.HasPrefix(key, r.id.key("m:")) {
			field = rapid.SampledFrom([]string{part0.String(), part1.String(), fieldDigest}).Draw(t, "field")
		}
		c.HSet(r.t.Context(), key, field, genDamage.Draw(t, "value"))
	}
}

// TestWhateverIsInRedisABatchIsWholeOrNotAtAll: the script never fails, and
// where it does not say OK it has changed nothing.
func TestWhateverIsInRedisABatchIsWholeOrNotAtAll(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		answers := map[AnswerKind]int{}
		rapid.Check(t, func(rt *rapid.T) {
			b.wipe()
			r := run{rt, b.begin(modelFields...), genLog(rt)}
			half := int64(len(r.log) / 2)
			r.batch(0, half)
			for range rapid.IntRange(1, 3).Draw(rt, "damages") {
				r.damage(rt)
			}
			before := r.dump()
			a, err := r.store.Apply(t.Context(), r.bench.batch(half, int64(len(r.log)), r.folded(half, int64(len(r.log)))))
			if err != nil {
				rt.Fatal(err)
			}
			answers[a.Kind]++
			if after := r.dump(); (a.Kind == AnswerOK) == maps.Equal(before, after) {
				rt.Fatalf("%+v: from\n%v\nto\n%v", a, before, after)
			}
		})
		t.Logf("answers: %v", answers)
	})
}
