package streams

// Codec reads the values of events. An implementation is safe for concurrent
// use; the [Reader]s that it returns are not.
type Codec interface {
	// Types returns the type of an event's data as rules see it: that of the
	// newest schema, the reader schema.
	Types(eventType string) (Type, error)
	// Reader returns a reader of those paths of an event's data. A path is a
	// field name, or several joined by dots; it must lead to a scalar.
	Reader(eventType string, paths []string) (Reader, error)
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
