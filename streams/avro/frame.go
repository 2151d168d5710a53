package avro

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// headerSize is the length of the header of a single object: C3 01 and the
// fingerprint.
const headerSize = 10

var errFrame = errors.New("the value is not Avro in single-object encoding")

// split returns the fingerprint and the payload of a value.
func split(value []byte) (fingerprint uint64, payload []byte, err error) {
	if len(value) < headerSize {
		return 0, nil, fmt.Errorf("%w: it has %d bytes, and the header alone has %d", errFrame, len(value), headerSize)
	}
	if value[0] != 0xC3 || value[1] != 0x01 {
		return 0, nil, fmt.Errorf("%w: it begins with %02X %02X, not with C3 01", errFrame, value[0], value[1])
	}
	return binary.LittleEndian.Uint64(value[2:]), value[headerSize:], nil
}

// writer returns the schema that a value of a type was written with.
func (c *Codec) writer(recordType string, fingerprint uint64) (*schema, error) {
	if s := c.writers[fingerprint]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%w %016x: no schema in %s has it; was the schema edited? keep the former one, as former/%s.%016x.avsc",
		ErrUnknownSchema, fingerprint, c.folder, recordType, fingerprint)
}
