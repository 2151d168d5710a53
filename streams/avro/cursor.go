package avro

import (
	"encoding/binary"
	"errors"
	"math"
	"unsafe"
)

// What can be wrong with the bytes of a value.
var (
	errShort  = errors.New("the value ends early")
	errVarint = errors.New("a number has more than 64 bits")
	errInt    = errors.New("an int has more than 32 bits")
	errLength = errors.New("a length is negative")
	errBool   = errors.New("a boolean is neither 0 nor 1")
)

// cursor walks bytes. The first error stays; after it every read returns zero.
type cursor struct {
	b   []byte
	i   int
	err error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// varint reads a zigzag number.
func (c *cursor) varint() int64 {
	if c.i < len(c.b) {
		if x := c.b[c.i]; x < 0x80 {
			c.i++
			return int64(x>>1) ^ -int64(x&1)
		}
	}
	return c.longVarint()
}

func (c *cursor) longVarint() int64 {
	if c.err != nil {
		return 0
	}
	u, n := binary.Uvarint(c.b[c.i:])
	if n <= 0 {
		c.fail(errShort)
		if n < 0 {
			c.err = errVarint
		}
		return 0
	}
	c.i += n
	return int64(u>>1) ^ -int64(u&1)
}

// int32 reads a number of Avro's type int, which takes at most 5 bytes.
func (c *cursor) int32() int64 {
	start := c.i
	v := c.varint()
	if v != int64(int32(v)) || c.i-start > binary.MaxVarintLen32 {
		c.fail(errInt)
		return 0
	}
	return v
}

// bytes reads a length and as many bytes.
func (c *cursor) bytes() []byte {
	n := c.varint()
	switch {
	case n < 0:
		c.fail(errLength)
	case n > int64(len(c.b)-c.i):
		c.fail(errShort)
	case c.err == nil:
		return c.take(int(n))
	}
	return nil
}

// take returns the next n bytes.
func (c *cursor) take(n int) []byte {
	if n > len(c.b)-c.i {
		c.fail(errShort)
		return nil
	}
	out := c.b[c.i : c.i+n]
	c.i += n
	return out
}

func (c *cursor) float32() float64 {
	if b := c.take(4); b != nil {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return 0
}

func (c *cursor) float64() float64 {
	if b := c.take(8); b != nil {
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (c *cursor) bool() bool {
	if c.i >= len(c.b) {
		c.fail(errShort)
		return false
	}
	if c.b[c.i] > 1 {
		c.fail(errBool)
		return false
	}
	c.i++
	return c.b[c.i-1] == 1
}

// view returns b as text without copying it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
