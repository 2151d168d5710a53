package streams

import "math"

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

// SetString makes the slot holds a text or bytes.
func (s *Slot) SetString(v string) { *s = Slot{Str: v} }

// SetBool makes the slot hold a bool.
func (s *Slot) SetBool(v bool) {
	*s = Slot{}
	if v {
		s.Bits = 1
	}
}
