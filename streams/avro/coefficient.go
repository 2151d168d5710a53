package avro

import (
	"math/big"

	"github.com/millrace/millrace/streams"
)

// decimal sets a coefficient, two's-complement and big-endian: as a number where
// it fits 64 bits, else as its bytes, the fewest that say it.
func (m *machine) decimal(s *streams.Slot, b []byte) {
	for len(b) > 8 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	if len(b) > 8 {
		if !in38Digits(b) {
			m.fail(errDigits)
			return
		}
		s.SetString(view(b))
		return
	}
	var v int64
	if len(b) > 0 {
		v = int64(int8(b[0]))
		for _, c := range b[1:] {
			v = v<<8 | int64(c)
		}
	}
	s.SetInt(v)
}

// in38Digits says whether a coefficient of more than 8 bytes is between -10^38
// and 10^38.
func in38Digits(b []byte) bool {
	if len(b) > 16 {
		return false
	}
	sign := uint64(int64(int8(b[0])) >> 63)
	hi, lo := sign, sign
	for _, c := range b {
		hi, lo = hi<<8|lo>>56, lo<<8|uint64(c)
	}
	if sign != 0 { // the magnitude of a negative number
		hi, lo = ^hi, -lo
		if lo == 0 {
			hi++
		}
	}
	const limitHi, limitLo = 0x4B3B4CA85A86C47A, 0x098A224000000000
	return hi < limitHi || hi == limitHi && lo < limitLo
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
