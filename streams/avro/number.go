package avro

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// decimalNumber is a JSON number as it was written: digits × 10^exp, without
// leading and trailing zeros in the digits. Zero has no digits.
type decimalNumber struct {
	negative bool
	digits   string
	exp      int
	// fraction is how many digits stood behind the point; scientific says that
	// there was an exponent.
	fraction   int
	scientific bool
}

// maxExponent bounds exponents: what is larger is zero or infinite as a double.
const maxExponent = 1000

// scanNumber reads a text that is a JSON number. It fails where the exponent is
// absurd.
func scanNumber(text string) (n decimalNumber, ok bool) {
	mantissa, negative := strings.CutPrefix(text, "-")
	n.negative = negative
	if e := strings.IndexAny(mantissa, "eE"); e >= 0 {
		exp, err := strconv.Atoi(mantissa[e+1:])
		if err != nil || exp > maxExponent || exp < -maxExponent {
			return n, false
		}
		n.exp, n.scientific, mantissa = exp, true, mantissa[:e]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	n.fraction = len(fraction)
	n.exp -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	n.digits = strings.TrimRight(digits, "0")
	n.exp += len(digits) - len(n.digits)
	if n.digits == "" {
		n.exp = 0
	}
	return n, true
}

// whole is how many digits stand before the point.
func (n decimalNumber) whole() int { return max(0, len(n.digits)+n.exp) }

// scaled returns the number × 10^scale, nil where that is not an integer.
func (n decimalNumber) scaled(scale int) *big.Int {
	zeros := n.exp + scale
	if n.digits == "" {
		return new(big.Int)
	}
	if zeros < 0 {
		return nil
	}
	out, _ := new(big.Int).SetString(n.digits+strings.Repeat("0", zeros), 10)
	if n.negative {
		out.Neg(out)
	}
	return out
}

// int64 returns the number where it is an integer that fits.
func (n decimalNumber) int64() (int64, bool) {
	if n.whole() > 19 || n.exp < 0 {
		return 0, false
	}
	i := n.scaled(0)
	return i.Int64(), i.IsInt64()
}

// unscaled returns the coefficient of the number as a decimal of that precision
// and scale, nil where it does not fit.
func (n decimalNumber) unscaled(precision, scale int) *big.Int {
	if len(n.digits)+n.exp+scale > precision && n.digits != "" {
		return nil
	}
	return n.scaled(scale)
}

// float returns the float of that size which says the same number: integers are
// exact; of others, the shortest text of the float is the number, or the number
// has few enough digits to name one float only.
func (n decimalNumber) float(text string, bits int) (float64, bool) {
	f, err := strconv.ParseFloat(text, bits)
	if err != nil {
		return 0, false
	}
	if f == 0 {
		return f, n.digits == ""
	}
	exact, enough := 15, 17
	if bits == 32 {
		exact, enough = 6, 9
	}
	if len(n.digits) <= exact && !subnormal(f, bits) {
		return f, n.exp < 0 || exactInteger(f, n, bits)
	}
	if n.exp >= 0 {
		return f, exactInteger(f, n, bits)
	}
	if len(n.digits) <= enough && !subnormal(f, bits) {
		return f, true
	}
	return f, n.shortest(f, bits)
}

func subnormal(f float64, bits int) bool {
	if bits == 32 {
		return math.Abs(f) < 0x1p-126
	}
	return math.Abs(f) < 0x1p-1022
}

// exactInteger says whether f is the integer n, or is written like it in its
// shortest form with an exponent (1e300).
func exactInteger(f float64, n decimalNumber, bits int) bool {
	if n.whole() <= 19 {
		if i, _ := new(big.Float).SetFloat64(f).Int(nil); i.Cmp(n.scaled(0)) == 0 {
			return true
		}
	}
	return n.scientific && n.shortest(f, bits)
}

// shortest says whether n is the shortest form of f.
func (n decimalNumber) shortest(f float64, bits int) bool {
	short, _ := scanNumber(strconv.FormatFloat(f, 'e', -1, bits))
	return short.digits == n.digits && short.exp == n.exp
}
