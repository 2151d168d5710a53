package avro

import (
	"encoding/hex"
	"errors"

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
	form := uuidForm(b)
	return string(form[:])
}

func uuidForm(b []byte) [36]byte {
	form := [36]byte{8: '-', 13: '-', 18: '-', 23: '-'}
	hex.Encode(form[:], b[:4])
	hex.Encode(form[9:], b[4:6])
	hex.Encode(form[14:], b[6:8])
	hex.Encode(form[19:], b[8:10])
	hex.Encode(form[24:], b[10:uuidSize])
	return form
}

var errUUID = errors.New("a UUID is written in lower case, as in 0190a5b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b")

// putUUID takes the text that a UUID is read as, and no other.
func putUUID(_ *slotField, dst []byte, s *streams.Slot) ([]byte, error) {
	var b [uuidSize]byte
	at := 0
	for i := range b {
		if at < len(s.Str) && s.Str[at] == '-' {
			at++
		}
		if at+2 > len(s.Str) {
			return nil, errUUID
		}
		_, _ = hex.Decode(b[i:], []byte(s.Str[at:at+2])) // what are no digits is another text below
		at += 2
	}
	if form := uuidForm(b[:]); string(form[:]) != s.Str {
		return nil, errUUID
	}
	return append(dst, b[:]...), nil
}
