package state

import "iter"

// Entry is what a store keeps of a stream.
type Entry struct {
	// Offset is the last source offset that it includes.
	Offset int64
	// Version is that of the stream.
	Version int64
	// Gone says that the stream has ended. The value is empty then.
	Gone bool
	// Value is the folded state.
	Value []byte
}

// Store maps stream IDs to entries. It is not safe for concurrent use.
type Store interface {
	// Get returns the entry of a stream, and whether there is one. Its value is
	// valid until the store is next changed, and must not be written to.
	Get(key []byte) (Entry, bool, error)
	// Put writes the entry of a stream over the one that was there. It copies
	// key and value; the value may be one, or a part of one, that Get returned.
	Put(key []byte, e Entry) error
	// Delete removes the entry of a stream, if there is one.
	Delete(key []byte) error
	// All returns all streams and their entries, in no order. What it yields is
	// valid as what Get returns; the store must not be changed meanwhile.
	All() iter.Seq2[[]byte, Entry]
	// Len is the number of streams.
	Len() int
}
