package avro

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// writer is a streams.Writer. It is immutable.
type writer struct {
	recordType string
	slots      int
	fields     []slotField // in the order of the schema
	tail       []byte      // what stands behind the last of them
}

// slotField writes one field from its slot.
type slotField struct {
	name string
	slot int
	of   streams.Type
	node *avro.SchemaNode // of the value, where it is not null
	// before is what stands between the field before and this one: the header,
	// and fields that nobody writes.
	before []byte
	// null is what a null slot is written as.
	null   []byte
	branch []byte // of the value, where the field is a union
	put    putter
	// What the value is, by its type.
	unit    int64            // of an instant
	symbols map[string]int64 // of an enum
	limit   wide             // of the coefficient of a decimal
}

// Writer returns a writer of those fields of a record, by the schema of its
// type's name. A field that is not a scalar at the top of the record, or that can
// neither be null nor has a default, is an error that names it. An unknown record
// type is one that is [ErrUnknownType].
//
// The writer is safe for concurrent use. It does not allocate, but for dst.
func (c *Codec) Writer(recordType string, fields []string) (streams.Writer, error) {
	s, err := c.reader(recordType)
	if err != nil {
		return nil, err
	}
	if err := checkFields(c.types[recordType], fields); err != nil {
		return nil, fmt.Errorf("writing %s: %w", recordType, err)
	}
	w := &writer{recordType: recordType, slots: len(fields)}
	before := binary.LittleEndian.AppendUint64([]byte{0xC3, 0x01}, s.fingerprint)
	for i := range s.root.Fields {
		f := &s.root.Fields[i]
		null, fallback := s.defs.nothing(f)
		if null == nil && fallback == nil {
			return nil, fmt.Errorf("writing %s: field %s may have no value, and has neither null nor a default in %s; add one", recordType, f.Name, s.file)
		}
		slot := slices.Index(fields, f.Name)
		if slot < 0 {
			before = append(before, firstOf(fallback, null)...)
			continue
		}
		field := s.defs.slotField(f)
		field.slot, field.of = slot, c.types[recordType].Fields[i].Type
		field.before, field.null = before, firstOf(null, fallback)
		w.fields, before = append(w.fields, field), nil
	}
	w.tail = before
	return w, nil
}

// checkFields says which field cannot be written from a slot.
func checkFields(record streams.Type, fields []string) error {
	for slot, name := range fields {
		if f := record.Field(name); f == nil {
			return unknownField(&record, name)
		} else if !f.Type.Kind.Scalar() {
			return fmt.Errorf("field %s is a %s, not a single value", name, f.Type)
		}
		if slices.Index(fields, name) < slot {
			return fmt.Errorf("field %s is named twice", name)
		}
	}
	return nil
}

// nothing returns what a field without a value is written as: null, and its
// default; nil where there is none.
func (d definitions) nothing(f *avro.SchemaField) (null, fallback []byte) {
	if f.HasDefault {
		fallback = d.appendDefault([]byte{}, &f.Type, f.Default)
	}
	if isNull(f.Type) {
		null = []byte{}
	}
	if k := slices.IndexFunc(f.Type.Branches, isNull); k >= 0 {
		null = binary.AppendVarint(nil, int64(k))
	}
	return null, fallback
}

func firstOf(a, b []byte) []byte {
	if a != nil {
		return a
	}
	return b
}

// slotField returns how a scalar field is written.
func (d definitions) slotField(f *avro.SchemaField) slotField {
	n, branch := &f.Type, []byte(nil)
	if b, k := besidesNull(n); b != nil {
		n, branch = b, binary.AppendVarint(nil, int64(k))
	}
	n = d.get(n)
	out := slotField{name: f.Name, node: n, branch: branch, put: putterOf(n), unit: unitOf(n)}
	if isDecimal(n) {
		out.limit = tenTo(min(n.Precision, streams.MaxDigits))
	}
	if n.Type == "enum" {
		out.symbols = map[string]int64{}
		for k, symbol := range n.Symbols {
			out.symbols[symbol] = int64(k)
		}
	}
	return out
}

// Write appends the value that the slots hold.
func (w *writer) Write(dst []byte, slots []streams.Slot) ([]byte, error) {
	if len(slots) != w.slots {
		return dst, fmt.Errorf("writing %s: %d slots for %d fields", w.recordType, len(slots), w.slots)
	}
	out := dst
	for i := range w.fields {
		f := &w.fields[i]
		s := &slots[f.slot]
		out = append(out, f.before...)
		if s.Null {
			out = append(out, f.null...)
			continue
		}
		var err error
		if out, err = f.put(f, append(out, f.branch...), s); err != nil {
			return dst, fmt.Errorf("writing %s: %s: %s does not fit %s: %w", w.recordType, f.name, shown(slotValue(f.of, s)), typeText(f.node), err)
		}
	}
	return append(out, w.tail...), nil
}

// slotValue is what a slot holds, for an error.
func slotValue(t streams.Type, s *streams.Slot) any {
	switch t.Kind {
	case streams.KindInt:
		return s.Int()
	case streams.KindFloat:
		return float(s.Float(), 64)
	case streams.KindTime:
		return s.Time().String()
	case streams.KindDecimal:
		if len(s.Str) <= maxShownDecimal {
			return json.Number(s.Decimal(t.Scale).String())
		}
	}
	return s.Str
}
