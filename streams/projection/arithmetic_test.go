package projection

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

// numberFields has one field for each way that the script reckons.
var numberFields = []rules.Field{
	field("sum", rules.FamilyAdd, streams.KindDecimal),
	field("low", rules.FamilyMin, streams.KindDecimal),
	field("high", rules.FamilyMax, streams.KindDecimal),
	field("n", rules.FamilyAdd, streams.KindInt),
	field("least", rules.FamilyMin, streams.KindInt),
	field("float", rules.FamilyMax, streams.KindFloat),
}

// genNumber draws decimals of up to 38 digits, many of them close together or
// at the edges where the arithmetic changes.
var genNumber = rapid.Custom(func(t *rapid.T) streams.Decimal {
	digits := rapid.OneOf(
		rapid.StringMatching(`[0-9]{1,3}`), rapid.StringMatching(`[0-9]{13,16}`), rapid.StringMatching(`[0-9]{1,38}`),
		rapid.SampledFrom([]string{strings.Repeat("9", 14), strings.Repeat("9", 15), "1" + strings.Repeat("0", 14), strings.Repeat("9", 38)}),
	).Draw(t, "digits")
	behind := rapid.IntRange(0, len(digits)).Draw(t, "behind")
	s := digits[:len(digits)-behind]
	if s == "" {
		s = "0"
	}
	if behind > 0 {
		s += "." + digits[len(digits)-behind:]
	}
	return dec(rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign") + s)
})

var genInt64 = rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, 1 << 53, -1 << 53, 99999999999999, 0, -1}))

// TestArithmeticEqualsBig compares sums, ranges and orders in the script with
// those of math/big.
func TestArithmeticEqualsBig(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		rapid.Check(t, func(rt *rapid.T) {
			b.wipe()
			b.begin(numberFields...)
			x, y := genNumber.Draw(rt, "x"), genNumber.Draw(rt, "y")
			i, j := genInt64.Draw(rt, "i"), genInt64.Draw(rt, "j")
			f, g := rapid.Float64().Draw(rt, "f"), rapid.Float64().Draw(rt, "g")
			b.ok(numbers(x, i, f))
			answer := b.apply(numbers(y, j, g))

			sum := new(big.Rat).Add(rat(x), rat(y))
			n := new(big.Int).Add(big.NewInt(i), big.NewInt(j))
			switch {
			case !fits(sum):
				want(rt, answer, Answer{Kind: AnswerRange, Row: "a", Field: "sum"})
			case !n.IsInt64():
				want(rt, answer, Answer{Kind: AnswerRange, Row: "a", Field: "n"})
			default:
				want(rt, answer, Answer{Kind: AnswerOK})
				want(rt, fmt.Sprint(b.row("a")), fmt.Sprint(map[string]string{
					"sum": plain(sum), "n": n.String(),
					"low": plain(lesser(rat(x), rat(y))), "high": plain(greater(rat(x), rat(y))),
					"least": strconv.FormatInt(min(i, j), 10),
					"float": plain(floatRat(max(f, g))),
				}))
			}
		})
	})
}

func numbers(x streams.Decimal, i int64, f float64) rules.Step {
	return step("a", change(0, rules.OpAdd, x), change(1, rules.OpMin, x), change(2, rules.OpMax, x),
		change(3, rules.OpAdd, i), change(4, rules.OpMin, i), change(5, rules.OpMax, f))
}

func want[T comparable](t *rapid.T, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
}

func rat(d streams.Decimal) *big.Rat {
	r, _ := new(big.Rat).SetString(d.String())
	return r
}

func floatRat(f float64) *big.Rat {
	c := change(0, rules.OpSet, f)
	return number(streams.KindFloat, &c.Value)
}

func lesser(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) <= 0 {
		return a
	}
	return b
}

func greater(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) >= 0 {
		return a
	}
	return b
}

// fits says whether a number has at most 38 digits.
func fits(n *big.Rat) bool {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(plain(n), "-"), ".")
	return len(fraction) <= 38 && len(strings.TrimLeft(whole+fraction, "0")) <= 38
}

// TestSumsDoNotDependOnTheirOrder adds what floats add wrongly, and proves it by
// a script that adds floats.
func TestSumsDoNotDependOnTheirOrder(t *testing.T) {
	amounts := []string{"62.59", "0.1", "0.2", "31.30", "1422541.76", "-0.3", "21", "36.06", "9007199254740993", "0.000001"}
	floats := strings.Replace(applySource, "sum(old, batch[at], scale, scale_of(batch[at]))", "tostring(old + batch[at])", 1)
	onRedis(t, func(t *testing.T, b *bench) {
		for _, script := range []string{applySource, floats} {
			b.wipe()
			b.begin(field("sum", rules.FamilyAdd, streams.KindDecimal))
			b.store.scripts.apply = redis.NewScript(script)
			sum := new(big.Rat)
			for i := range 7 * len(amounts) {
				f, err := strconv.ParseFloat(amounts[(i*3+i/len(amounts))%len(amounts)], 64)
				if err != nil {
					t.Fatal(err)
				}
				d, err := streams.DecimalFromFloat(f)
				if err != nil {
					t.Fatal(err)
				}
				sum.Add(sum, rat(d))
				b.apply(step("one", change(0, rules.OpAdd, d)))
			}
			if got, exact := b.row("one")["sum"], plain(sum); (got == exact) != (script == applySource) {
				t.Errorf("the sum is %s, exactly it is %s", got, exact)
			}
		}
	})
}

// TestNumbersStayExact: 2^53+1 and 38 digits come through unharmed, as values
// and as sums, in one batch and in two.
func TestNumbersStayExact(t *testing.T) {
	const digits = "12345678901234567890123456789012345678"
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(
			field("n", rules.FamilyAdd, streams.KindInt), field("set", rules.FamilySet, streams.KindInt),
			field("sum", rules.FamilyAdd, streams.KindDecimal), field("value", rules.FamilySet, streams.KindDecimal),
		)
		half := dec("0." + digits[1:])
		b.ok(step("a", change(0, rules.OpAdd, 1<<53), change(1, rules.OpSet, 1<<53+1), change(2, rules.OpAdd, dec(digits)), change(3, rules.OpSet, half)))
		b.ok(step("a", change(0, rules.OpAdd, 1), change(2, rules.OpAdd, dec("-1"))))
		b.wantRow("a", "n=9007199254740993 set=9007199254740993 sum=12345678901234567890123456789012345677 value="+half.String())
		b.ok(step("a", change(0, rules.OpAdd, math.MaxInt64), change(0, rules.OpAdd, math.MaxInt64-1<<53-1), change(0, rules.OpAdd, -math.MaxInt64)))
		b.wantRow("a", "n=9223372036854775807 set=9007199254740993 sum=12345678901234567890123456789012345677 value="+half.String())
	})
}

// TestIntSumsAtTheirEdges: what a batch adds up to may be beyond 64 bits, as long
// as the sum in the row is not; one that is leaves the row as it was.
func TestIntSumsAtTheirEdges(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin(field("n", rules.FamilyAdd, streams.KindInt))
		add := func(ns ...int64) Answer {
			var steps []rules.Step
			for _, n := range ns {
				steps = append(steps, step("a", change(0, rules.OpAdd, int(n))))
			}
			return b.apply(steps...)
		}
		for _, tt := range []struct {
			add  []int64
			want string // "" says that the sum is out of range
		}{
			{[]int64{math.MinInt64}, "-9223372036854775808"}, {[]int64{-1}, ""},
			{[]int64{math.MaxInt64, math.MaxInt64}, "9223372036854775806"}, {[]int64{1}, "9223372036854775807"},
			{[]int64{1}, ""}, {[]int64{math.MaxInt64, math.MaxInt64}, ""},
			{[]int64{math.MinInt64, math.MinInt64, 1}, "-9223372036854775808"}, {[]int64{0}, "-9223372036854775808"},
		} {
			a := add(tt.add...)
			if out := a.Kind == AnswerRange; out != (tt.want == "") {
				t.Fatalf("adding %v: %+v", tt.add, a)
			}
			if tt.want != "" {
				b.wantRow("a", "n="+tt.want)
			}
		}
	})
}
