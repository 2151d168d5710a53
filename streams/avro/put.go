package avro

import (
	"encoding/binary"
	"errors"
	"math"
	"unicode/utf8"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// What a field cannot hold.
var (
	errPrecision = errors.New("it has too many digits")
	errRounded   = errors.New("it would be rounded; a double would hold it")
	errFiner     = errors.New("it is finer than that")
	errFixed     = errors.New("it has another length")
)

// putter appends the value of a slot that is not null.
type putter func(f *slotField, dst []byte, s *streams.Slot) ([]byte, error)

func putterOf(n *avro.SchemaNode) putter {
	switch {
	case isDecimal(n):
		return putDecimal
	case unitOf(n) != 0:
		return putInstant
	case isUUID(n):
		return putUUID
	}
	switch n.Type {
	case "boolean":
		return putBool
	case "int", "long":
		return putInteger
	case "float":
		return putFloat
	case "double":
		return putDouble
	case "string":
		return putString
	case "enum":
		return putSymbol
	case "fixed":
		return putFixed
	}
	return putBytes
}

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendVarint(dst, int64(len(text))), text...)
}

func putBool(_ *slotField, dst []byte, s *streams.Slot) ([]byte, error) {
	return appendBool(dst, s.Bool()), nil
}

func putInteger(f *slotField, dst []byte, s *streams.Slot) ([]byte, error) {
	v := s.Int()
	if f.node.Type == "int" && v != int64(int32(v)) {
		return nil, errInt
	}
	return binary.AppendVarint(dst, v), nil
}

// putFloat compares bits, so that NaN is itself.
func putFloat(_ *slotField, dst []byte, s *streams.Slot) ([]byte, error) {
	v := float32(s.Float())
	if math.Float64bits(float64(v)) != uint64(s.Bits) {
		return nil, errRounded
	}
	return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v)), nil
}

func putDouble(_ *slotField, dst []byte, s *streams.Slot) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(dst, uint64(s.Bits)), nil
}

func putString(_ *slotField, dst []byte, s *streams.Slot) ([]byte, error) {
	if !utf8.ValidString(s.Str) {
		return nil, errUTF8
	}
	return appendText(dst, s.Str), nil
}

func putBytes(_ *slotField, dst []byte, s *streams.Slot) ([]byte, error) {
	return appendText(dst, s.Str), nil
}

func putFixed(f *slotField, dst []byte, s *streams.Slot) ([]byte, error) {
	if len(s.Str) != f.node.Size {
		return nil, errFixed
	}
	return append(dst, s.Str...), nil
}

func putSymbol(f *slotField, dst []byte, s *streams.Slot) ([]byte, error) {
	k, ok := f.symbols[s.Str]
	if !ok {
		return nil, errSymbol
	}
	return binary.AppendVarint(dst, k), nil
}

func putInstant(f *slotField, dst []byte, s *streams.Slot) ([]byte, error) {
	switch {
	case s.Bits < minInstant || s.Bits > maxInstant:
		return nil, errInstant
	case s.Bits%f.unit != 0:
		return nil, errFiner
	}
	return binary.AppendVarint(dst, s.Bits/f.unit), nil
}

func putDecimal(f *slotField, dst []byte, s *streams.Slot) ([]byte, error) {
	var buf [8]byte
	b := coefficient(s, &buf)
	if !below(f.limit, b) {
		return nil, errPrecision
	}
	if f.node.Type != "fixed" {
		return appendText(dst, b), nil
	}
	for range f.node.Size - len(b) { // it has room for its precision, or the schema is refused
		dst = append(dst, byte(int8(b[0])>>7)) // the sign
	}
	return append(dst, b...), nil
}
