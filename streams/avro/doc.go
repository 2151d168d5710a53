// Package avro reads and writes the values of events: Avro binary in
// single-object encoding, with schemas from a folder.
//
// # The folder
//
// A file directly in the folder is the schema of one event type, and its name
// is the type: FineCreated.avsc, FineCreated.v2.avsc. It is both the schema that
// new events are written with and the reader schema, which decides what rules
// see. Every .avsc file anywhere below counts for reading: history holds each
// version ever written, and a former one is kept as
// former/FineCreated.<fingerprint>.avsc. Schemas are told apart by their
// CRC-64-AVRO fingerprint. It leaves out logical types, so two schemas that
// differ only in those are refused: a scale is never edited, a new type name is.
//
// # A value
//
// C3 01, the fingerprint of the writer's schema in 8 bytes, little-endian, then
// the record in Avro binary.
//
// # Reading
//
// [Codec.Reader] compiles the writer's schema, the reader's schema and the
// wanted paths to a flat program, once per fingerprint that turns up. The
// program walks the bytes once and fills slots without allocating, but for the
// text of a UUID in 16 bytes. It resolves as Avro says: defaults, aliases,
// promotions, and the symbols of enums. It goes further in one place: an instant
// that was written in another unit (timestamp-millis, read as timestamp-micros)
// is converted, not reinterpreted. Only the wanted paths need to be compatible.
//
// Reading is strict: the whole value is walked, also what nobody wants. A value
// that ends early, has bytes left over, holds a boolean that is neither 0 nor 1,
// an int beyond 32 bits, an unknown symbol or branch, nests deeper than
// [MaxDepth], or has text on a wanted path that is not UTF-8 is an error that
// says where. No value makes a reader panic, allocate in proportion to a
// length that it claims, or spin.
//
// twmb/avro parses schemas, decodes values for people, and is the oracle of the
// tests. It reads and writes the structs of a [Record], too, between checks of
// ours: it would take milliseconds for microseconds, and leave out in silence what
// the schema has no field for.
//
// # Writing
//
// [JSONWriter] turns JSON into goavro's native form, exactly: what does not fit is
// an error that names the path and the type. goavro is given the canonical form
// of the schema. Its own canonical form keeps {"type":"long"} where a logical
// type stood, so its fingerprints are not those of other libraries; values that
// were written with them are read all the same.
//
// [Codec.Writer] is the counterpart of a reader. The bytes are those of goavro,
// but schema and fields are compiled: what no slot is written to becomes literal
// bytes. It rounds and cuts nothing: what a reader would not find again, but for
// the offset of a time, is an error.
//
// # Inferring
//
// [Inferrer] proposes schemas for JSON events, from all of their lines. Names
// that Avro cannot hold are mapped and back by [EscapeName] and [UnescapeName].
package avro
