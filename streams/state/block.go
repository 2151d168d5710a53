package state

import (
	"encoding/binary"
	"math/bits"
)

// A block is an entry as bytes: a header, the key, the value, and what is left
// of the block's size. The header has the offset and the version, 8 bytes each,
// and the lengths of key and value, 4 bytes each; the uppermost bit of the last
// one says that the stream is gone.
const (
	headerSize = 24
	goneBit    = 1 << 31
	// mostBytes is what key and value may have together. No record of Kafka
	// comes near it.
	mostBytes = 1 << 30
)

// needs is the size of the smallest block that holds key and value.
func needs(key, value []byte) int { return headerSize + len(key) + len(value) }

// encode writes an entry to a block that is large enough. The value may be one
// that stands in this block.
func encode(block, key []byte, e Entry) {
	lengths := uint64(len(key)) | uint64(len(e.Value))<<32
	if e.Gone {
		lengths |= goneBit << 32
	}
	binary.LittleEndian.PutUint64(block, uint64(e.Offset))
	binary.LittleEndian.PutUint64(block[8:], uint64(e.Version))
	binary.LittleEndian.PutUint64(block[16:], lengths)
	n := copy(block[headerSize:], key)
	copy(block[headerSize+n:], e.Value)
}

// keyOf returns the key of the entry in a block.
func keyOf(block []byte) []byte {
	to := headerSize + int(binary.LittleEndian.Uint32(block[16:]))
	return block[headerSize:to:to]
}

// decode returns the entry in a block.
func decode(block []byte) Entry {
	key, value := int(binary.LittleEndian.Uint32(block[16:])), binary.LittleEndian.Uint32(block[20:])
	from := headerSize + key
	to := from + int(value&^goneBit)
	return Entry{
		Offset:  int64(binary.LittleEndian.Uint64(block)),
		Version: int64(binary.LittleEndian.Uint64(block[8:])),
		Gone:    value&goneBit != 0,
		Value:   block[from:to:to],
	}
}

// Sizes of blocks are the multiples of 8 up to 128, then eight for each
// doubling. Their numbers are those of the classes, from 1.
const classes = 25*8 + 1 // the last one is that of mostBytes and a header

// classFor returns the class of the smallest blocks that hold n bytes.
func classFor(n int) int {
	shift := max(3, bits.Len(uint(n-1))-4)
	return (shift-3)*8 + (n-1)>>shift + 1
}

// sizeOf returns the size of the blocks of a class.
func sizeOf(class int) int {
	shift := 3 + max(0, class-9)/8
	return (class - (shift-3)*8) << shift
}
