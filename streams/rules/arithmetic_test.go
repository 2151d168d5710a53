package rules

import (
	"errors"
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams"
)

// term is a random expression with what it is worth.
type term struct {
	text string
	rat  *big.Rat // nil: an error of the record
}

// terms draws an expression of + - * over names and numbers. Its results may
// leave the range of the kind, which says in.
func terms(t *rapid.T, depth int, leaf func(*rapid.T) term, in func(*big.Rat) bool) term {
	if depth == 0 || rapid.IntRange(0, 3).Draw(t, "leaf") == 0 {
		return leaf(t)
	}
	op := rapid.SampledFrom([]string{"+", "-", "*"}).Draw(t, "op")
	a, b := terms(t, depth-1, leaf, in), terms(t, depth-1, leaf, in)
	out := term{text: fmt.Sprintf("(%s %s %s)", a.text, op, b.text)}
	if a.rat == nil || b.rat == nil {
		return out
	}
	switch r := new(big.Rat); op {
	case "+":
		out.rat = r.Add(a.rat, b.rat)
	case "-":
		out.rat = r.Sub(a.rat, b.rat)
	default:
		out.rat = r.Mul(a.rat, b.rat)
	}
	if !in(out.rat) {
		out.rat = nil
	}
	return out
}

// TestIntsAgreeWithBig: ints are exact, or an error where they do not fit.
func TestIntsAgreeWithBig(t *testing.T) {
	fits := func(r *big.Rat) bool { return r.Num().IsInt64() }
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Int64().Draw(t, "article")
		e := terms(t, 4, func(t *rapid.T) term {
			if rapid.Bool().Draw(t, "name") {
				return term{"data.article", new(big.Rat).SetInt64(x)}
			}
			n := rapid.Int64Range(0, 1<<40).Draw(t, "number")
			return term{fmt.Sprint(n), new(big.Rat).SetInt64(n)}
		}, fits)
		got, err := drawnValue(t, e.text+" + 0 * data.article", streams.Slot{Bits: x})
		compareRat(t, e, got, err, ErrOverflow)
	})
}

// TestDecimalsAgreeWithBig: decimals are exact, or an error beyond 38 digits.
func TestDecimalsAgreeWithBig(t *testing.T) {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(streams.MaxDigits), nil)
	inRange := func(r *big.Rat) bool {
		for scale := range streams.MaxDigits + 1 {
			f := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
			if n := new(big.Rat).Mul(r, new(big.Rat).SetInt(f)); n.IsInt() {
				return n.Num().CmpAbs(limit) < 0
			}
		}
		return false
	}
	rapid.Check(t, func(t *rapid.T) {
		coef := rapid.Int64().Draw(t, "amount")
		amount := new(big.Rat).SetFrac64(coef, 100)
		e := terms(t, 4, func(t *rapid.T) term {
			if rapid.Bool().Draw(t, "name") {
				return term{"data.amount", amount}
			}
			text := rapid.StringMatching(`(0|[1-9][0-9]{0,12})\.[0-9]{1,8}`).Draw(t, "number")
			r, _ := new(big.Rat).SetString(text)
			return term{text, r}
		}, inRange)
		got, err := drawnValue(t, e.text+" + 0 * data.amount", streams.Slot{Bits: coef})
		compareRat(t, e, got, err, streams.ErrDecimalRange)
	})
}

func drawnValue(t *rapid.T, expr string, slot streams.Slot) (Value, error) {
	view := &View{Topics: []string{"shop"}, events: []eventRules{{eventType: "OrderPlaced", rules: []rule{{
		key:    scalarNode("all"),
		fields: []fieldOp{{op: OpMax, field: "x", value: scalarNode("=" + expr)}},
	}}}}}
	p, problems := view.Compile(testOptions)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", expr, problems)
	}
	v := p.Events["OrderPlaced"].NewEvaluator()
	v.Slots()[0] = slot
	steps, err := v.Eval()
	if err != nil {
		return Value{}, err
	}
	return steps[0].Changes[0].Value, nil
}

func compareRat(t *rapid.T, e term, got Value, err error, outOfRange error) {
	if e.rat == nil {
		if !errors.Is(err, outOfRange) {
			t.Fatalf("%s: got %v, %v; want %v", e.text, got, err, outOfRange)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v; want %s", e.text, err, e.rat)
	}
	value := new(big.Rat).SetInt64(got.Slot.Int())
	if got.Decimal.Sign() != 0 {
		value.SetString(got.Decimal.String())
	}
	if value.Cmp(e.rat) != 0 {
		t.Fatalf("%s: got %s, want %s", e.text, value, e.rat)
	}
}
