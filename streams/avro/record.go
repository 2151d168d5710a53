package avro

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// Record reads and writes the values of one record type as a struct: the state
// of a fold in Go, for example. It is safe for concurrent use.
type Record[S any] struct {
	recordType string
	encoder    *avro.Schema
	decoders   map[uint64]resolution // by the fingerprint of the writer's schema
	guards     sync.Pool             // of *guard
}

// guard reads what scalars a value has, to know that it can be read.
type guard struct {
	reader streams.Reader
	slots  []streams.Slot
}

// NewRecord returns a record type as S, by the newest schema of its name. S is a
// struct with one field for each of the schema's and no others, tagged
// `avro:"name"` as twmb/avro has it; avro:"-" is left out. Null is a nil pointer;
// a decimal is a *big.Rat, an instant a time.Time, a UUID a string. What does not
// correspond is an error that names the type and the field. An unknown record
// type is one that is [ErrUnknownType].
func NewRecord[S any](c *Codec, recordType string) (*Record[S], error) {
	s, err := c.reader(recordType)
	if err != nil {
		return nil, err
	}
	of := reflect.TypeFor[S]()
	if of.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s as %s: it is not a struct", recordType, of)
	}
	if err := (correspondence{s.defs, map[reflect.Type]bool{}}).record(of, s.root, ""); err != nil {
		return nil, fmt.Errorf("%s as %s: %w", recordType, of, err)
	}
	r := &Record[S]{recordType: recordType, decoders: map[uint64]resolution{}}
	if r.encoder, err = parseExact(s.twmb.String()); err != nil {
		return nil, fmt.Errorf("%s: %w", s.file, err)
	}
	for fingerprint, w := range c.writers {
		if sameName(w.root, s.root) { // a guard refuses the others
			r.decoders[fingerprint] = resolve(w, s)
		}
	}
	paths := scalarPaths(c.types[recordType], "")
	r.guards.New = func() any {
		reader, _ := c.Reader(recordType, paths) // the paths are those of the type
		return &guard{reader, make([]streams.Slot, len(paths))}
	}
	return r, nil
}

// scalarPaths are the paths of a type that lead to a scalar.
func scalarPaths(t streams.Type, prefix string) (paths []string) {
	for _, f := range t.Fields {
		switch {
		case f.Type.Kind.Scalar():
			paths = append(paths, prefix+f.Name)
		case f.Type.Kind == streams.KindRecord:
			paths = append(paths, scalarPaths(f.Type, prefix+f.Name+".")...)
		}
	}
	return paths
}

// Decode returns what a value holds, resolved from the schema that it was written
// with to the newest one. It is as strict as a reader, and keeps nothing of the
// value.
func (r *Record[S]) Decode(value []byte) (S, error) {
	var s S
	if err := r.readable(value); err != nil {
		return s, err
	}
	fingerprint, payload, _ := split(value) // it was read
	d := r.decoders[fingerprint]
	if d.err != nil {
		return s, fmt.Errorf("reading %s: %w", r.recordType, d.err)
	}
	if _, err := d.schema.Decode(payload, &s); err != nil {
		return *new(S), fmt.Errorf("reading %s as %T: %w", r.recordType, s, err)
	}
	return s, nil
}

// Encode appends the value of s in single-object encoding, with the newest
// schema. A number that does not fit its field or would be rounded, a time that
// is finer than its unit, and what [Record.Decode] would refuse are errors; after
// one, dst is returned as it was.
func (r *Record[S]) Encode(dst []byte, s S) ([]byte, error) {
	out, err := r.encoder.AppendSingleObject(dst, &s)
	if err != nil {
		return dst, fmt.Errorf("writing %s from %T: %w", r.recordType, s, err)
	}
	if err := r.readable(out[len(dst):]); err != nil {
		return dst, fmt.Errorf("writing %s from %T: the value could not be read again: %w", r.recordType, s, err)
	}
	return out, nil
}

// readable says why a value cannot be read. It walks all of it, so that lengths
// can be believed.
func (r *Record[S]) readable(value []byte) error {
	g := r.guards.Get().(*guard)
	err := g.reader.Read(value, g.slots)
	clear(g.slots) // not to keep the value alive
	r.guards.Put(g)
	return err
}
