package streams

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestSetDecimal: what fits is read back as the same number; what does not leaves
// the slot as it was.
func TestSetDecimal(t *testing.T) {
	tests := []struct {
		number           string
		precision, scale int
		fits             bool
	}{
		{"0", 1, 0, true}, {"-0.00", 1, 0, true}, {"31.3", 12, 2, true}, {"31.300", 12, 2, true}, {"31.305", 12, 2, false},
		{"99.99", 4, 2, true}, {"-99.99", 4, 2, true}, {"100", 4, 2, false}, {"-100", 4, 2, false}, {"1.5", 3, 3, false},
		{"9223372036854775807", 19, 0, true}, {"-9223372036854775808", 19, 0, true}, {"9223372036854775808", 19, 0, true},
		{"9223372036854775807", 18, 0, false}, {"9223372036854775807", 38, 10, true}, {"-9223372036854775807", 38, 19, true},
		{strings.Repeat("9", 38), 38, 0, true}, {"1" + strings.Repeat("0", 38), 50, 0, false}, {"1", 50, 45, true},
		{"0." + strings.Repeat("0", 38) + "1", 50, 45, false}, {"12345678901234567890123.40", 24, 1, true},
		{"12345678901234567890123.45", 24, 1, false}, {"-12345678901234567890123.4", 23, 1, false},
	}
	for _, tt := range tests {
		d, err := ParseDecimal(tt.number)
		if err != nil {
			t.Fatal(err)
		}
		before := Slot{Str: "before", Offset: 7}
		s := before
		switch fits := s.SetDecimal(d, tt.precision, tt.scale); {
		case fits != tt.fits:
			t.Errorf("%s as decimal(%d, %d): fits is %v", tt.number, tt.precision, tt.scale, fits)
		case !fits && s != before:
			t.Errorf("%s as decimal(%d, %d): the slot is %+v", tt.number, tt.precision, tt.scale, s)
		case fits && s.Decimal(tt.scale).Cmp(d) != 0:
			t.Errorf("%s as decimal(%d, %d) is read back as %v", tt.number, tt.precision, tt.scale, s.Decimal(tt.scale))
		}
	}
}

// TestSetDecimalIsExact against integers of any size.
func TestSetDecimalIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := number(t, "d")
		precision, scale := rapid.IntRange(1, 38).Draw(t, "precision"), rapid.IntRange(0, 38).Draw(t, "scale")
		coef, exact := new(big.Int).QuoRem(new(big.Int).Mul(d.coefficient(), pow10(scale)), pow10(d.scale), new(big.Int))
		want := exact.Sign() == 0 && coef.CmpAbs(pow10(precision)) < 0
		s := Slot{Null: true}
		if fits := s.SetDecimal(d, precision, scale); fits != want {
			t.Fatalf("%v as decimal(%d, %d): fits is %v", d, precision, scale, fits)
		}
		if !want {
			return
		}
		if got := s.Decimal(scale); got.Cmp(d) != 0 || s.Null {
			t.Fatalf("%v as decimal(%d, %d) is read back as %v", d, precision, scale, got)
		}
		if short := len(s.Str); short > 0 && (coef.IsInt64() || short > 16) {
			t.Fatalf("%v takes %d bytes", d, short)
		}
	})
}

// TestSetDecimalIsShort: a power of two needs no more bytes than its neighbours.
func TestSetDecimalIsShort(t *testing.T) {
	for number, want := range map[string]string{
		"-2361183241434822606848": "\x80\x00\x00\x00\x00\x00\x00\x00\x00", "-2361183241434822606849": "\xff\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
		"2361183241434822606847": "\x7f\xff\xff\xff\xff\xff\xff\xff\xff", "2361183241434822606848": "\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00",
	} {
		d, err := ParseDecimal(number)
		if err != nil {
			t.Fatal(err)
		}
		if s := (Slot{}); !s.SetDecimal(d, 38, 0) || s.Str != want {
			t.Errorf("%s is %x, want %x", number, s.Str, want)
		}
	}
}

func TestSetDecimalDoesNotAllocate(t *testing.T) {
	var s Slot
	d := NewDecimal(3130, 2)
	if n := testing.AllocsPerRun(100, func() { s.SetDecimal(d, 12, 4) }); n != 0 || s.Bits != 313_000 {
		t.Errorf("%v allocations, %+v", n, s)
	}
}
