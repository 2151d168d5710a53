package streams

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// MaxDigits is how many digits a decimal may have in all, before and behind the
// point, trailing zeros of the fraction and a lone leading zero not counted.
const MaxDigits = 38

// Errors of decimal arithmetic.
var (
	ErrDecimal        = errors.New("not a decimal number")
	ErrDecimalRange   = fmt.Errorf("decimal has more than %d digits", MaxDigits)
	ErrDivisionByZero = errors.New("division by zero")
)

// Decimal is an exact decimal number: a coefficient and the number of its
// digits that stand behind the point. The zero Decimal is 0. It is immutable,
// and safe for concurrent use.
//
// Arithmetic never rounds and never overflows: sums and products are as large as
// they must be, and whoever stores one asks [Decimal.InRange] first. Two
// decimals are compared with [Decimal.Cmp]; == would tell 1 from 1.0.
type Decimal struct {
	coef  int64    // the coefficient, where big is nil
	big   *big.Int // never written to once it is here
	scale int
}

// NewDecimal returns coef × 10^-scale. The scale must not be negative.
func NewDecimal(coef int64, scale int) Decimal { return Decimal{coef: coef, scale: scale} }

// fromBig returns n × 10^-scale, which takes n over.
func fromBig(n *big.Int, scale int) Decimal {
	if n.IsInt64() {
		return Decimal{coef: n.Int64(), scale: scale}
	}
	return Decimal{big: n, scale: scale}
}

// DecimalFromBytes returns the decimal whose coefficient is b, two's-complement
// and big-endian as in Avro. It copies b.
func DecimalFromBytes(b []byte, scale int) Decimal {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return fromBig(n, scale)
}

// DecimalFromFloat returns the shortest decimal that reads back as f: 62.59 for
// the float next to it. NaN, the infinities and what has more than [MaxDigits]
// digits are errors.
func DecimalFromFloat(f float64) (Decimal, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Decimal{}, fmt.Errorf("%w: %v", ErrDecimal, f)
	}
	if abs := math.Abs(f); abs >= 1e38 || abs != 0 && abs < 1e-38 {
		return Decimal{}, ErrDecimalRange
	}
	var buf [96]byte
	d, err := ParseDecimal(view(AppendFloat(buf[:0], f)))
	if err == nil && !d.InRange() {
		err = ErrDecimalRange
	}
	return d, err
}

// AppendFloat appends the shortest decimal that reads back as f, without an
// exponent, and 0 for -0. It is how a float stands in a row.
func AppendFloat(b []byte, f float64) []byte {
	if f == 0 {
		f = 0 // not -0
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

// maxDecimalText is the longest text that is read as a decimal: the time that it
// takes grows with the square of the length.
const maxDecimalText = 1000

// ParseDecimal reads an optional minus, digits, and optionally a point and
// digits. Anything else, an exponent included, is an error that is [ErrDecimal];
// more than 1,000 characters are one that is [ErrDecimalRange]. The scale is the
// number of digits behind the point.
func ParseDecimal(s string) (Decimal, error) {
	if len(s) > maxDecimalText {
		return Decimal{}, ErrDecimalRange
	}
	digits, scale, ok := scanDecimal(s)
	if !ok {
		return Decimal{}, fmt.Errorf("%w: %q", ErrDecimal, s)
	}
	if len(s) <= 18 {
		var n int64
		for _, c := range []byte(digits) {
			if c != '.' {
				n = n*10 + int64(c-'0')
			}
		}
		if s[0] == '-' {
			n = -n
		}
		return NewDecimal(n, scale), nil
	}
	var plain []byte
	for _, c := range []byte(s) {
		if c != '.' {
			plain = append(plain, c)
		}
	}
	n, _ := new(big.Int).SetString(string(plain), 10)
	return fromBig(n, scale), nil
}

// scanDecimal returns s without its sign, and the number of digits behind the
// point.
func scanDecimal(s string) (digits string, scale int, ok bool) {
	digits = s
	if s != "" && s[0] == '-' {
		digits = s[1:]
	}
	point := -1
	for i := range len(digits) {
		switch c := digits[i]; {
		case c >= '0' && c <= '9':
		case c == '.' && point < 0 && i > 0:
			point = i
		default:
			return "", 0, false
		}
	}
	if point >= 0 {
		scale = len(digits) - point - 1
	}
	return digits, scale, digits != "" && point != len(digits)-1
}

// Scale is the number of digits behind the point, trailing zeros included.
func (d Decimal) Scale() int { return d.scale }

// Sign is -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.big != nil:
		return d.big.Sign()
	case d.coef < 0:
		return -1
	case d.coef > 0:
		return 1
	}
	return 0
}

// Neg returns -d.
func (d Decimal) Neg() Decimal {
	if d.big == nil && d.coef != math.MinInt64 {
		return Decimal{coef: -d.coef, scale: d.scale}
	}
	n := d.coefficient()
	return fromBig(n.Neg(n), d.scale)
}

// Add returns d + e, exactly.
func (d Decimal) Add(e Decimal) Decimal {
	if d.big == nil && e.big == nil {
		if a, b, ok := align(d, e); ok {
			if sum := a + b; (a^sum)&(b^sum) >= 0 {
				return Decimal{coef: sum, scale: max(d.scale, e.scale)}
			}
		}
	}
	a, b := alignBig(d, e)
	return fromBig(a.Add(a, b), max(d.scale, e.scale))
}

// Sub returns d - e, exactly.
func (d Decimal) Sub(e Decimal) Decimal { return d.Add(e.Neg()) }

// Mul returns d × e, exactly. Its scale is the sum of both.
func (d Decimal) Mul(e Decimal) Decimal {
	if d.big == nil && e.big == nil {
		if n, ok := mul64(d.coef, e.coef); ok {
			return Decimal{coef: n, scale: d.scale + e.scale}
		}
	}
	a := d.coefficient()
	return fromBig(a.Mul(a, e.coefficient()), d.scale+e.scale)
}

// Div returns d / e with that many digits behind the point, rounded half to
// even. It is an error, [ErrDivisionByZero], where e is 0.
func (d Decimal) Div(e Decimal, scale int) (Decimal, error) {
	if e.Sign() == 0 {
		return Decimal{}, ErrDivisionByZero
	}
	// d.coef/10^d.scale ÷ e.coef/10^e.scale × 10^scale, as one fraction
	num, den := d.coefficient(), e.coefficient()
	num.Mul(num, pow10(scale+e.scale))
	den.Mul(den, pow10(d.scale))
	quo, rem := num.QuoRem(num, den, new(big.Int))
	negative := rem.Sign()*den.Sign() < 0
	twice := rem.Abs(rem).Lsh(rem, 1)
	if c := twice.Cmp(den.Abs(den)); c > 0 || c == 0 && quo.Bit(0) == 1 {
		if negative {
			quo.Sub(quo, big.NewInt(1))
		} else {
			quo.Add(quo, big.NewInt(1))
		}
	}
	return fromBig(quo, scale), nil
}

// Cmp is -1 where d < e, 0 where they are the same number, 1 where d > e.
func (d Decimal) Cmp(e Decimal) int {
	if d.big == nil && e.big == nil {
		if a, b, ok := align(d, e); ok {
			switch {
			case a < b:
				return -1
			case a > b:
				return 1
			}
			return 0
		}
	}
	a, b := alignBig(d, e)
	return a.Cmp(b)
}

// InRange says whether the number has at most [MaxDigits] digits.
func (d Decimal) InRange() bool {
	if d.big == nil && d.scale <= MaxDigits {
		return true // an int64 has 19 digits
	}
	d = d.trim()
	return d.scale <= MaxDigits && d.coefficient().CmpAbs(pow10(MaxDigits)) < 0
}

// Int64 returns the number where it is a whole one that fits.
func (d Decimal) Int64() (int64, bool) {
	d = d.trim()
	return d.coef, d.big == nil && d.scale == 0
}

// Float returns the float64 that is nearest to the number.
func (d Decimal) Float() float64 {
	f, _ := strconv.ParseFloat(d.String(), 64)
	return f
}

// String returns the canonical text: no exponent, no trailing zeros of the
// fraction, no -0. Numbers that Cmp says are the same have the same text.
func (d Decimal) String() string { return string(d.Append(nil)) }

// Append appends the text of String.
func (d Decimal) Append(b []byte) []byte {
	d = d.trim()
	at := len(b)
	if d.big != nil {
		b = d.big.Append(b, 10)
	} else {
		b = strconv.AppendInt(b, d.coef, 10)
	}
	if d.scale == 0 {
		return b
	}
	if b[at] == '-' {
		at++
	}
	for len(b)-at <= d.scale { // 0.05 has the digits 005
		b = append(b, 0)
		copy(b[at+1:], b[at:])
		b[at] = '0'
	}
	point := len(b) - d.scale
	b = append(b, 0)
	copy(b[point+1:], b[point:])
	b[point] = '.'
	return b
}

// trim drops the trailing zeros of the fraction.
func (d Decimal) trim() Decimal {
	if d.big != nil {
		n, ten, rem := d.coefficient(), big.NewInt(10), new(big.Int)
		quo := new(big.Int)
		scale := d.scale
		for ; scale > 0; scale-- {
			if quo.QuoRem(n, ten, rem); rem.Sign() != 0 {
				break
			}
			n, quo = quo, n
		}
		return fromBig(n, scale)
	}
	for d.scale > 0 && d.coef%10 == 0 {
		d.coef /= 10
		d.scale--
	}
	return d
}

// coefficient returns a copy of the coefficient.
func (d Decimal) coefficient() *big.Int {
	if d.big != nil {
		return new(big.Int).Set(d.big)
	}
	return big.NewInt(d.coef)
}

// align returns both coefficients at the larger scale, where they fit.
func align(d, e Decimal) (a, b int64, ok bool) {
	a, b, ok = d.coef, e.coef, true
	switch {
	case d.scale < e.scale:
		a, ok = scaleUp(a, e.scale-d.scale)
	case d.scale > e.scale:
		b, ok = scaleUp(b, d.scale-e.scale)
	}
	return a, b, ok
}

func alignBig(d, e Decimal) (a, b *big.Int) {
	a, b = d.coefficient(), e.coefficient()
	switch {
	case d.scale < e.scale:
		a.Mul(a, pow10(e.scale-d.scale))
	case d.scale > e.scale:
		b.Mul(b, pow10(d.scale-e.scale))
	}
	return a, b
}

var powers = func() (p [19]int64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

func scaleUp(n int64, digits int) (int64, bool) {
	if digits >= len(powers) {
		return 0, n == 0
	}
	return mul64(n, powers[digits])
}

func pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// mul64 returns a × b where it fits.
func mul64(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	h := int64(hi)
	if a < 0 {
		h -= b
	}
	if b < 0 {
		h -= a
	}
	return int64(lo), h == int64(lo)>>63
}
