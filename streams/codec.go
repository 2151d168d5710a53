package streams

// Codec reads the values of events, and reads and writes those of states. An
// implementation is safe for concurrent use; the [Reader]s and [Writer]s that it
// returns are not.
type Codec interface {
	// Types returns the type of an event's data as rules see it: that of the
	// newest schema, the reader schema.
	Types(eventType string) (Type, error)
	// Reader returns a reader of those paths of an event's data. A path is a
	// field name, or several joined by dots; it must lead to a scalar.
	Reader(eventType string, paths []string) (Reader, error)
	// Writer returns a writer of those fields of a record type, by its newest
	// schema. Each must be a scalar at the top of the record that can be null or
	// has a default, since a slot can be null; so must every other field, which
	// is written as its default, or null where it has none.
	Writer(recordType string, fields []string) (Writer, error)
}

// Reader reads some fields of a value into slots. It picks the program by the
// schema that the value was written with and resolves that to the reader
// schema: defaults, aliases, promotions.
type Reader interface {
	// Read fills one slot for each path. Texts are views into value. The whole
	// value is read: damage behind the last path is an error, too. A value of
	// no schema that the codec knows, one that ends early or has trailing bytes
	// is an error that says so; Read never panics.
	Read(value []byte, slots []Slot) error
}

// Writer writes values of one record type from slots: the counterpart of
// [Reader].
type Writer interface {
	// Write appends the value in single-object encoding: slot k is field k. A
	// null is written as null, or as the default where the field cannot be null.
	// A Reader finds what the slots held, but for the offset of a time, which a
	// value does not keep: it is read in UTC. What the field cannot hold exactly
	// is an error that names the field and the reason; after it dst is what it
	// was. Write never panics and keeps nothing of the slots.
	Write(dst []byte, slots []Slot) ([]byte, error)
}
