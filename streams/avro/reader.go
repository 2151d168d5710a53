package avro

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/streams"
)

// reader is a streams.Reader. It keeps the program of the last fingerprint at
// hand, since values of one schema come in long runs.
type reader struct {
	codec     *Codec
	eventType string
	schema    *schema
	paths     []string
	copies    [][2]int // slots of paths that were asked for again: to, from

	last        *decoder
	fingerprint uint64
	decoders    map[uint64]*decoder
	machine     machine
}

// decoder reads the values of one writer schema.
type decoder struct {
	writer  *schema
	program *program
}

// Reader returns a reader of those paths of an event's data, each of which must
// lead to a scalar. An unknown event type is an error that is [ErrUnknownType].
// What a value was written with is compiled when the first such value comes.
//
// The reader is not safe for concurrent use.
func (c *Codec) Reader(eventType string, paths []string) (streams.Reader, error) {
	s, err := c.reader(eventType)
	if err != nil {
		return nil, err
	}
	root := c.types[eventType]
	r := &reader{codec: c, eventType: eventType, schema: s, paths: slices.Clone(paths), decoders: map[uint64]*decoder{}}
	for slot, path := range paths {
		if err := checkPath(&root, path); err != nil {
			return nil, fmt.Errorf("data.%s of %s: %w", path, eventType, err)
		}
		if first := slices.Index(paths, path); first < slot {
			r.copies = append(r.copies, [2]int{slot, first})
		}
	}
	return r, nil
}

// checkPath says why a path does not lead to a scalar.
func checkPath(t *streams.Type, path string) error {
	for name := range strings.SplitSeq(path, ".") {
		if t.Kind != streams.KindRecord {
			return fmt.Errorf("%q is looked up in a %s", name, t)
		}
		f := t.Field(name)
		if f == nil {
			return unknownField(t, name)
		}
		t = &f.Type
	}
	if !t.Kind.Scalar() {
		return fmt.Errorf("it is a %s, not a single value", t)
	}
	return nil
}

func unknownField(t *streams.Type, name string) error {
	names := make([]string, len(t.Fields))
	for i := range t.Fields {
		names[i] = t.Fields[i].Name
	}
	if near := streams.Nearest(name, names); near != "" {
		return fmt.Errorf("unknown field %q; did you mean %s?", name, near)
	}
	return fmt.Errorf("unknown field %q; there are %s", name, strings.Join(names, ", "))
}

// Read fills one slot for each path.
func (r *reader) Read(value []byte, slots []streams.Slot) error {
	fingerprint, payload, err := split(value)
	if err != nil {
		return r.explain(err)
	}
	if len(slots) != len(r.paths) {
		return fmt.Errorf("reading %s: %d slots for %d paths", r.eventType, len(slots), len(r.paths))
	}
	d := r.last
	if d == nil || fingerprint != r.fingerprint {
		if d, err = r.decoder(fingerprint); err != nil {
			return r.explain(err)
		}
		r.last, r.fingerprint = d, fingerprint
	}
	if err := r.machine.read(d.program, payload, slots); err != nil {
		return r.damaged(d, err)
	}
	r.machine.b, r.machine.slots = nil, nil // not to keep the fetched buffer alive
	for _, c := range r.copies {
		slots[c[0]] = slots[c[1]]
	}
	return nil
}

// decoder returns the decoder for a writer's schema, made when it is first
// asked for.
func (r *reader) decoder(fingerprint uint64) (*decoder, error) {
	if d := r.decoders[fingerprint]; d != nil {
		return d, nil
	}
	w, err := r.codec.writer(r.eventType, fingerprint)
	if err != nil {
		return nil, err
	}
	if !sameName(w.root, r.schema.root) {
		return nil, fmt.Errorf("the value is a %s (%s), but the reader schema %s is of %s, which does not have that as an alias",
			w.name(), w.file, r.schema.file, r.schema.name())
	}
	d := &decoder{writer: w}
	if d.program, err = compile(w, r.schema, r.paths); err != nil {
		return nil, fmt.Errorf("written with %s, read with %s: data.%w", w.file, r.schema.file, err)
	}
	r.decoders[fingerprint] = d
	return d, nil
}

// explain names the event type.
func (r *reader) explain(err error) error { return fmt.Errorf("reading %s: %w", r.eventType, err) }

// damaged says where in the value the error is.
func (r *reader) damaged(d *decoder, err error) error {
	what := ""
	if slot := r.machine.failed; slot >= 0 {
		what = "data." + r.paths[slot] + ": "
	}
	return fmt.Errorf("reading %s, written with %s: %sat byte %d of %d: %w",
		r.eventType, d.writer.file, what, headerSize+r.machine.i, headerSize+len(r.machine.b), err)
}
