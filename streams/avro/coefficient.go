package avro

import (
	"encoding/binary"
	"math/big"
	"math/bits"

	"github.com/millrace/millrace/streams"
)

// decimal sets a coefficient, two's-complement and big-endian: as a number where
// it fits 64 bits, else as its bytes, the fewest that say it.
func (m *machine) decimal(s *streams.Slot, b []byte) {
	text := trim(view(b), 8)
	if len(text) > 8 {
		if !below(tenTo38, text) {
			m.fail(errDigits)
			return
		}
		s.SetString(text)
		return
	}
	var v int64
	if len(text) > 0 {
		v = int64(int8(text[0]))
		for i := 1; i < len(text); i++ {
			v = v<<8 | int64(text[i])
		}
	}
	s.SetInt(v)
}

// wide is a number of 128 bits without a sign.
type wide struct{ hi, lo uint64 }

func (w wide) less(v wide) bool { return w.hi < v.hi || w.hi == v.hi && w.lo < v.lo }

// tenTo is 10^n, for n up to 38.
func tenTo(n int) wide {
	w := wide{0, 1}
	for range n {
		hi, lo := bits.Mul64(w.lo, 10)
		w = wide{w.hi*10 + hi, lo}
	}
	return w
}

var tenTo38 = tenTo(streams.MaxDigits)

// below says whether a coefficient is between -limit and limit.
func below(limit wide, b string) bool {
	if len(b) > 16 {
		return false
	}
	sign := uint64(int64(int8(b[0])) >> 63)
	m := wide{sign, sign}
	for i := range len(b) {
		m = wide{m.hi<<8 | m.lo>>56, m.lo<<8 | uint64(b[i])}
	}
	if sign != 0 { // the magnitude of a negative number
		m.hi, m.lo = ^m.hi, -m.lo
		if m.lo == 0 {
			m.hi++
		}
	}
	return m.less(limit)
}

// coefficient is that of a decimal in the fewest bytes. buf is room for it.
func coefficient(s *streams.Slot, buf *[8]byte) string {
	b := s.Str
	if b == "" {
		binary.BigEndian.PutUint64(buf[:], uint64(s.Bits))
		b = view(buf[:])
	}
	return trim(b, 1)
}

// trim drops the first bytes of a coefficient that say nothing, as long as there
// are more than that many.
func trim(b string, least int) string {
	for len(b) > least && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return b
}

// twosComplement is a coefficient in the fewest bytes, big-endian.
func twosComplement(n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	length := uint(new(big.Int).Not(n).BitLen()/8 + 1)
	b := new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), 8*length)).Bytes()
	return b
}

// padded is a coefficient in size bytes, nil where it needs more.
func padded(n *big.Int, size int) []byte {
	short := twosComplement(n)
	if len(short) > size {
		return nil
	}
	out := make([]byte, size)
	if n.Sign() < 0 {
		for i := range out {
			out[i] = 0xff
		}
	}
	copy(out[size-len(short):], short)
	return out
}
