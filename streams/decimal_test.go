package streams

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// edges are where coefficients need another form, or end.
var edges = []string{
	"0", "1", "999999999999999999", "1000000000000000000", "3037000500", "4611686018427387904", "9223372036854775807", "9223372036854775808", "18446744073709551616",
	"10000000000000000000", strings.Repeat("9", 38), "1" + strings.Repeat("0", 38),
}

// edgeNumbers are the edges and what is beside them, as wholes and as fractions.
func edgeNumbers() (all []Decimal) {
	for _, text := range edges {
		for beside := range int64(3) {
			for _, scale := range []int{0, 1, 19, MaxDigits} {
				n, _ := new(big.Int).SetString(text, 10)
				n.Add(n, big.NewInt(beside-1))
				all = append(all, fromBig(n, scale), fromBig(new(big.Int).Neg(n), scale))
			}
		}
	}
	return all
}

// number draws decimals around the digit limit.
func number(t *rapid.T, label string) Decimal {
	digits := rapid.StringMatching(`-?[0-9]{1,40}(\.[0-9]{1,20})?`).Draw(t, label)
	d, err := ParseDecimal(digits)
	if want, _ := new(big.Rat).SetString(digits); err != nil || rat(t, d).Cmp(want) != 0 {
		t.Fatalf("%s is read as %v, %v", digits, d, err)
	}
	return d
}

type tester interface {
	Fatalf(format string, args ...any)
}

func rat(t tester, d Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		t.Fatalf("%q is no number", d)
	}
	return r
}

func TestDecimalAgreesWithRationals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { agrees(t, number(t, "a"), number(t, "b")) })
	all := edgeNumbers()
	for _, a := range all {
		if again, err := ParseDecimal(a.String()); err != nil || again.Cmp(a) != 0 {
			t.Fatalf("%v is read as %v, %v", a, again, err)
		}
		for _, b := range all {
			agrees(t, a, b)
		}
	}
}

// agrees compares what two decimals give with what two rational numbers do.
func agrees(t tester, a, b Decimal) {
	x, y := rat(t, a), rat(t, b)
	same := func(op string, got Decimal, want *big.Rat) {
		if rat(t, got).Cmp(want) != 0 {
			t.Fatalf("%v %s %v = %v, want %v", a, op, b, got, want)
		}
	}
	same("+", a.Add(b), new(big.Rat).Add(x, y))
	same("-", a.Sub(b), new(big.Rat).Sub(x, y))
	same("*", a.Mul(b), new(big.Rat).Mul(x, y))
	if got := a.Cmp(b); got != x.Cmp(y) {
		t.Fatalf("%v cmp %v = %d", a, b, got)
	}
	alone(t, a, x)
}

// alone compares what is said of one decimal.
func alone(t tester, a Decimal, x *big.Rat) {
	if a.Sign() != x.Sign() {
		t.Fatalf("sign of %v is %d", a, a.Sign())
	}
	if n, ok := a.Int64(); ok != (x.IsInt() && x.Num().IsInt64()) || ok && n != x.Num().Int64() {
		t.Fatalf("%v is the int %d, %v", a, n, ok)
	}
	if f, _ := x.Float64(); a.Float() != f {
		t.Fatalf("%v is the float %v, want %v", a, a.Float(), f)
	}
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(a.String(), "-"), ".")
	if digits := len(strings.TrimPrefix(whole, "0")) + len(fraction); a.InRange() != (digits <= MaxDigits) {
		t.Fatalf("%v has %d digits, in range: %v", a, digits, a.InRange())
	}
}

// TestDecimalOfFloatsReadsBack: the shortest text of a float is no other float's.
func TestDecimalOfFloatsReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64Range(-1e20, 1e20).Draw(t, "float")
		d, err := DecimalFromFloat(f)
		if errors.Is(err, ErrDecimalRange) && math.Abs(f) < 1e-20 {
			return
		}
		if err != nil || d.Float() != f {
			t.Fatalf("%v becomes %v, which is %v (%v)", f, d, d.Float(), err)
		}
	})
}

func TestDecimalDivRoundsHalfToEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := number(t, "a"), number(t, "b")
		scale := rapid.IntRange(0, MaxDigits).Draw(t, "scale")
		got, err := a.Div(b, scale)
		if b.Sign() == 0 {
			if !errors.Is(err, ErrDivisionByZero) {
				t.Fatalf("division by zero: %v", err)
			}
			return
		}
		exact := new(big.Rat).Quo(rat(t, a), rat(t, b))
		off := new(big.Rat).Sub(rat(t, got), exact)
		half := big.NewRat(1, 2)
		half.Quo(half, new(big.Rat).SetInt(pow10(scale)))
		switch off.Abs(off).Cmp(half) {
		case 1:
			t.Fatalf("%v / %v = %v, which is off by %v", a, b, got, off)
		case 0:
			last := got.String()[len(got.String())-1]
			if got.trim().scale == scale && (last-'0')%2 == 1 {
				t.Fatalf("%v / %v = %v: a tie went to the odd digit", a, b, got)
			}
		}
	})
}

func TestDecimalDivTies(t *testing.T) {
	for text, want := range map[string]string{
		"0.5": "0", "1.5": "2", "2.5": "2", "3.5": "4", "2.51": "3", "2.49": "2",
		"-0.5": "0", "-1.5": "-2", "-2.5": "-2", "-3.5": "-4", "-2.51": "-3",
	} {
		d, _ := ParseDecimal(text)
		for _, by := range []int64{1, -1} {
			got, err := d.Mul(NewDecimal(by, 0)).Div(NewDecimal(by*100, 2), 0)
			if err != nil || got.String() != want {
				t.Errorf("%s is rounded to %v, %v; want %s", text, got, err, want)
			}
		}
	}
}

func TestDecimalText(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "-0.00": "0", "31.30": "31.3", "0.05": "0.05", "-0.5": "-0.5", "007": "7",
		"9007199254740993": "9007199254740993", "100": "100", "-12345678901234567890.50": "-12345678901234567890.5",
		"0.00000000000000000000000000000000000001": "0.00000000000000000000000000000000000001",
	} {
		d, err := ParseDecimal(in)
		if err != nil || d.String() != want {
			t.Errorf("%s: got %v, %v; want %s", in, d, err, want)
		}
	}
	for _, in := range []string{"", "-", ".", "1.", ".5", "+1", "1e3", "0x10", "inf", "1 ", "1.2.3", "--1"} {
		if d, err := ParseDecimal(in); !errors.Is(err, ErrDecimal) {
			t.Errorf("%q: got %v, %v", in, d, err)
		}
	}
}

func TestDecimalInRange(t *testing.T) {
	for in, want := range map[string]bool{
		strings.Repeat("9", 38):                true,
		"1" + strings.Repeat("0", 38):          false,
		"0." + strings.Repeat("0", 37) + "1":   true,
		"0." + strings.Repeat("0", 38) + "1":   false,
		"1." + strings.Repeat("0", 40):         true,
		strings.Repeat("9", 30) + ".12345678":  true,
		strings.Repeat("9", 30) + ".123456789": false,
	} {
		d, err := ParseDecimal(in)
		if err != nil || d.InRange() != want {
			t.Errorf("%s: in range %v, %v", in, d.InRange(), err)
		}
	}
}

func TestDecimalFromFloatIsShortest(t *testing.T) {
	for f, want := range map[float64]string{62.59: "62.59", 0.1: "0.1", -31.3: "-31.3", 1e20: "100000000000000000000", 5e-7: "0.0000005"} {
		if d, err := DecimalFromFloat(f); err != nil || d.String() != want {
			t.Errorf("%v: got %v, %v", f, d, err)
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), 1e38, 1e-39, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		if d, err := DecimalFromFloat(f); err == nil {
			t.Errorf("%v: got %v", f, d)
		}
	}
}

func TestDecimalFromBytesIsTwosComplement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "bytes")
		want := new(big.Int).SetBytes(b)
		if b[0] >= 0x80 {
			want.Sub(want, new(big.Int).Lsh(big.NewInt(1), uint(len(b)*8)))
		}
		if got := DecimalFromBytes(b, 0).String(); got != want.String() {
			t.Fatalf("%x: got %s, want %s", b, got, want)
		}
	})
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"0", "-1.50", "9223372036854775808", "1e9", "12345678901234567.8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDecimal(s)
		if err != nil {
			return
		}
		again, err := ParseDecimal(d.String())
		if err != nil || again.Cmp(d) != 0 {
			t.Fatalf("%q became %v, then %v (%v)", s, d, again, err)
		}
	})
}

func BenchmarkDecimalAdd(b *testing.B) {
	x, sum := NewDecimal(6259, 2), NewDecimal(0, 0)
	for b.Loop() {
		sum = sum.Add(x)
	}
}
