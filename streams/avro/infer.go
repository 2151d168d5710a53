package avro

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Inferrer proposes a schema for each event type from the JSON data of its
// events. It is not safe for concurrent use.
//
// A field that is missing anywhere, or null, can be null and is so by default.
// Whole numbers are long. Numbers of which some have a point, and at most 6
// digits behind it, are decimal(18, 6): a scale is never edited, and tomorrow's
// events may have more digits than today's. The scale is less where that many do
// not fit beside the digits before the point. With more digits behind the point,
// or an exponent, numbers are double, as long as every one of them is a double
// exactly or is how the double is written. Objects are records.
//
// A string that holds the JSON text of what is not a string is what becomes of
// numbers of more than 18 digits, a field whose type changes or is never seen,
// an object that has more than 256 different keys, and what nests deeper than
// 32 objects and lists.
type Inferrer struct {
	types map[string]*shape
}

// NewInferrer returns an inferrer that has seen nothing.
func NewInferrer() *Inferrer { return &Inferrer{types: map[string]*shape{}} }

// Add takes the data of one event, a JSON object.
func (i *Inferrer) Add(eventType string, data json.RawMessage) error {
	if err := checkFileName(eventType); err != nil {
		return fmt.Errorf("inferring: %w", err)
	}
	object, err := parseJSON(data)
	if err != nil {
		return fmt.Errorf("inferring %s: data: %w", eventType, err)
	}
	s := i.types[eventType]
	if s == nil {
		s = &shape{mostKeys: maxTypeNodes}
		i.types[eventType] = s
	}
	if s.add(object); s.wide {
		return fmt.Errorf("inferring %s: its events have more than %d different fields", eventType, maxTypeNodes)
	}
	return nil
}

// InferredSchema is what an [Inferrer] proposes for one event type.
type InferredSchema struct {
	EventType string
	// FileName is the name of the schema's file in a folder.
	FileName string
	JSON     []byte
	// Notes say what a person should know or decide, one sentence each: names
	// that were mapped, types that change. Sorted by field.
	Notes []string
}

// Schemas returns the schemas of all event types, sorted by type. The same
// events give the same schemas, in whichever order they were added.
func (i *Inferrer) Schemas() []InferredSchema {
	var out []InferredSchema
	for _, eventType := range slices.Sorted(maps.Keys(i.types)) {
		b := schemaBuilder{}
		name := EscapeName(eventType)
		if name != eventType {
			b.note("", "the record is named %s, since Avro cannot hold %q", name, eventType)
		}
		record := b.record(i.types[eventType], seenAt{name: name})
		text, err := json.MarshalIndent(record, "", "  ")
		if err != nil {
			b.note("", "the schema cannot be written: %v", err)
		}
		out = append(out, InferredSchema{eventType, eventType + extension, append(text, '\n'), b.notes})
	}
	return out
}

// shape is what was seen of the values at one place.
type shape struct {
	values int // all, nulls included
	nulls  int
	bools  int
	texts  int

	numbers numbers

	objects  int
	fields   map[string]*shape
	mostKeys int  // how many fields there may be
	wide     bool // there were more

	lists int
	items *shape
}

func (s *shape) add(v any) {
	s.values++
	switch v := v.(type) {
	case nil:
		s.nulls++
	case bool:
		s.bools++
	case string:
		s.texts++
	case json.Number:
		s.numbers.add(string(v))
	case []any:
		s.list(v)
	case map[string]any:
		s.object(v)
	}
}

func newShape() *shape { return &shape{mostKeys: maxInferredKeys} }

func (s *shape) list(v []any) {
	s.lists++
	if s.items == nil {
		s.items = newShape()
	}
	for _, item := range v {
		s.items.add(item)
	}
}

func (s *shape) object(v map[string]any) {
	s.objects++
	if s.fields == nil {
		s.fields = map[string]*shape{}
	}
	for name, value := range v {
		f := s.fields[name]
		if f == nil && (s.wide || len(s.fields) == s.mostKeys) {
			s.wide = true
			continue
		}
		if f == nil {
			f = newShape()
			s.fields[name] = f
		}
		f.add(value)
	}
}

// kinds are the names of the kinds of values that were seen, nulls aside.
func (s *shape) kinds() []string {
	var out []string
	for _, k := range []struct {
		name string
		seen int
	}{{"booleans", s.bools}, {"numbers", s.numbers.seen}, {"texts", s.texts}, {"objects", s.objects}, {"lists", s.lists}} {
		if k.seen > 0 {
			out = append(out, k.name)
		}
	}
	return out
}

// numbers is what was seen of the numbers at one place.
type numbers struct {
	seen       int
	whole      int  // most digits before the point
	fraction   int  // most digits behind it, zeros at the end not counted
	pointed    bool // one of them has a point
	scientific bool
	inexact    bool // one of them is no double
	absurd     bool // one of them has an exponent that no double has
	digits     int  // most digits in all
}

func (n *numbers) add(text string) {
	n.seen++
	d, ok := scanNumber(text)
	if !ok {
		n.absurd = true
		return
	}
	n.whole = max(n.whole, d.whole())
	n.fraction = max(n.fraction, -d.exp)
	n.pointed = n.pointed || d.fraction > 0
	n.scientific = n.scientific || d.scientific
	n.digits = max(n.digits, len(d.digits))
	if _, exact := d.float(text, 64); !exact {
		n.inexact = true
	}
}

// The limits of what is inferred.
const (
	maxInferredDigits   = 18 // of a long or a decimal
	maxInferredFraction = 6  // of a decimal
	maxInferredKeys     = 256
	maxInferredDepth    = 32
)

// avroType is the type for the numbers. Where they need a string, why says so.
func (n *numbers) avroType() (t any, why string) {
	isDouble := n.scientific || n.fraction > maxInferredFraction
	switch {
	case n.absurd:
		return nil, "numbers have exponents beyond every double"
	case isDouble && n.digits > maxInferredDigits, !isDouble && n.whole+n.fraction > maxInferredDigits:
		return nil, fmt.Sprintf("numbers have more than %d digits", maxInferredDigits)
	case isDouble && n.inexact:
		return nil, "some numbers are exact as no double"
	case isDouble:
		return "double", ""
	case n.pointed:
		return decimalSchema{"bytes", "decimal", maxInferredDigits, min(maxInferredFraction, maxInferredDigits-n.whole)}, ""
	}
	return "long", ""
}
