package streams

import (
	"math"
	"math/big"
)

// Slot holds one scalar value on its way from a decoder to a rule, without
// allocating. Which of its parts mean something depends on the [Kind] that the
// schema gives: see the setters and getters. The zero Slot is the zero value of
// every kind; a null has Null set and the rest undefined.
type Slot struct {
	// Str holds a text or bytes, a view into the record; and the
	// two's-complement big-endian coefficient of a decimal that does not fit Bits.
	Str string
	// Bits holds an int, a bool (0 or 1), the bits of a float, the coefficient
	// of a decimal where Str is empty, or the nanoseconds of a time.
	Bits int64
	// Offset is that of a time, in seconds east of UTC.
	Offset int32
	// Null says that there is no value.
	Null bool
}

// Int returns an int.
func (s *Slot) Int() int64 { return s.Bits }

// Float returns a float.
func (s *Slot) Float() float64 { return math.Float64frombits(uint64(s.Bits)) }

// Bool returns a bool.
func (s *Slot) Bool() bool { return s.Bits != 0 }

// Time returns a time.
func (s *Slot) Time() Time { return Time{Nanos: s.Bits, Offset: s.Offset} }

// Decimal returns a decimal of that scale.
func (s *Slot) Decimal(scale int) Decimal {
	if s.Str == "" {
		return NewDecimal(s.Bits, scale)
	}
	return DecimalFromBytes([]byte(s.Str), scale)
}

// SetTime makes the slot hold a time.
func (s *Slot) SetTime(t Time) { *s = Slot{Bits: t.Nanos, Offset: t.Offset} }

// SetFloat makes the slot hold a float.
func (s *Slot) SetFloat(f float64) { *s = Slot{Bits: int64(math.Float64bits(f))} }

// SetInt makes the slot hold an int.
func (s *Slot) SetInt(i int64) { *s = Slot{Bits: i} }

// SetString makes the slot hold a text or bytes.
func (s *Slot) SetString(v string) { *s = Slot{Str: v} }

// SetBool makes the slot hold a bool.
func (s *Slot) SetBool(v bool) {
	*s = Slot{}
	if v {
		s.Bits = 1
	}
}

// SetDecimal makes the slot hold a decimal of that precision and scale. It is false,
// and the slot as it was, where the number does not fit: where it has more digits
// behind the point than scale, or more than precision or [MaxDigits] in all. It
// allocates for a coefficient of more than 64 bits.
func (s *Slot) SetDecimal(d Decimal, precision, scale int) bool {
	d, ok := d.atScale(scale)
	switch {
	case !ok || !d.InRange() || d.longerThan(precision):
		return false
	case d.big == nil:
		*s = Slot{Bits: d.coef}
	default:
		*s = Slot{Str: twosComplement(d.big)}
	}
	return true
}

// atScale returns the same number with that scale, and whether there is one.
func (d Decimal) atScale(scale int) (Decimal, bool) {
	if d.scale > scale {
		if d = d.trim(); d.scale > scale {
			return d, false
		}
	}
	if d.big == nil {
		if coef, ok := scaleUp(d.coef, scale-d.scale); ok {
			return Decimal{coef: coef, scale: scale}, true
		}
	}
	n := d.coefficient()
	return fromBig(n.Mul(n, pow10(scale-d.scale)), scale), true
}

// longerThan says whether the coefficient has more digits than that.
func (d Decimal) longerThan(digits int) bool {
	if d.big == nil {
		return digits < len(powers) && (d.coef >= powers[digits] || d.coef <= -powers[digits])
	}
	return d.big.CmpAbs(pow10(digits)) >= 0
}

// twosComplement is the inverse of [DecimalFromBytes].
func twosComplement(n *big.Int) string {
	if n.Sign() >= 0 {
		return string(n.FillBytes(make([]byte, n.BitLen()/8+1)))
	}
	// -2^k needs no more bits than 2^k - 1
	size := new(big.Int).Not(n).BitLen()/8 + 1
	return string(new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size))).FillBytes(make([]byte, size)))
}
