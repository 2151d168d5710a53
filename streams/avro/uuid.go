package avro

import (
	"encoding/hex"

	"github.com/millrace/millrace/streams"
)

// uuidSize is how many bytes a UUID has.
const uuidSize = 16

// uuid sets the text of a UUID. It is the one value that takes an allocation.
func (m *machine) uuid(s *streams.Slot, b []byte) {
	if m.err == nil {
		s.SetString(uuidText(b))
	}
}

// uuidText is the usual form of a UUID: 8-4-4-4-12 hexadecimal digits.
func uuidText(b []byte) string {
	text := [36]byte{8: '-', 13: '-', 18: '-', 23: '-'}
	hex.Encode(text[:], b[:4])
	hex.Encode(text[9:], b[4:6])
	hex.Encode(text[14:], b[6:8])
	hex.Encode(text[19:], b[8:10])
	hex.Encode(text[24:], b[10:uuidSize])
	return string(text[:])
}
