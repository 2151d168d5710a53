package avro

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The parts of a schema, in the order in which they are written.
type (
	recordSchema struct {
		Type   string        `json:"type"`
		Name   string        `json:"name"`
		Fields []fieldSchema `json:"fields"`
	}
	fieldSchema struct {
		Name    string    `json:"name"`
		Type    any       `json:"type"`
		Default *nullJSON `json:"default,omitempty"`
	}
	decimalSchema struct {
		Type        string `json:"type"`
		LogicalType string `json:"logicalType"`
		Precision   int    `json:"precision"`
		Scale       int    `json:"scale"`
	}
	arraySchema struct {
		Type  string `json:"type"`
		Items any    `json:"items"`
	}
	anySchema struct {
		Type string `json:"type"`
		Any  bool   `json:"millrace.any"`
	}
	nullJSON struct{}
)

// MarshalJSON returns null.
func (nullJSON) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// schemaBuilder builds the schema of one event type and takes notes.
type schemaBuilder struct {
	notes []string
}

// note takes a note about a field, or about the type where path is empty.
func (b *schemaBuilder) note(path, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if path != "" {
		text = "data" + path + ": " + text
	}
	b.notes = append(b.notes, text)
}

// seenAt is where values were seen.
type seenAt struct {
	name  string // of a record there: that of the outer one, a dot, the field
	path  string // for notes
	depth int    // how many objects and lists there are around it
}

// record is the schema of objects. The name of a record within another begins
// with that of the outer one and a dot, so that names are as unique as paths.
func (b *schemaBuilder) record(s *shape, at seenAt) recordSchema {
	out := recordSchema{"record", at.name, []fieldSchema{}}
	for _, field := range slices.Sorted(maps.Keys(s.fields)) {
		f, escaped := s.fields[field], EscapeName(field)
		inner := seenAt{at.name + "." + escaped, at.path + "." + field, at.depth + 1}
		if escaped != field {
			b.note(inner.path, "is named %s in the schema, since Avro cannot hold %q", escaped, field)
		}
		t := b.value(f, inner)
		if f.nulls > 0 || f.values < s.objects {
			out.Fields = append(out.Fields, fieldSchema{escaped, []any{"null", t}, &nullJSON{}})
		} else {
			out.Fields = append(out.Fields, fieldSchema{escaped, t, nil})
		}
	}
	return out
}

// value is the type of values that are not null.
func (b *schemaBuilder) value(s *shape, at seenAt) any {
	switch kinds := s.kinds(); {
	case len(kinds) == 0:
		return b.any(at, "is always null")
	case len(kinds) > 1:
		return b.any(at, fmt.Sprintf("changes its type (%s)", strings.Join(kinds, ", ")))
	case s.bools > 0:
		return "boolean"
	case s.texts > 0:
		return "string"
	case s.wide:
		return b.any(at, fmt.Sprintf("has more than %d different keys", maxInferredKeys))
	case s.objects+s.lists > 0 && at.depth > maxInferredDepth:
		return b.any(at, fmt.Sprintf("nests deeper than %d", maxInferredDepth))
	case s.objects > 0:
		return b.record(s, at)
	case s.lists > 0:
		return b.list(s, at)
	}
	t, why := s.numbers.avroType()
	if why != "" {
		return b.any(at, why)
	}
	return t
}

// any is the type of what no other one holds, and why.
func (b *schemaBuilder) any(at seenAt, why string) anySchema {
	b.note(at.path, "%s; it becomes a string that holds the JSON text", why)
	return anySchema{"string", true}
}

func (b *schemaBuilder) list(s *shape, at seenAt) any {
	inner := seenAt{at.name, at.path + "[]", at.depth + 1}
	if s.items.values == 0 {
		return arraySchema{"array", b.any(inner, "is never there, since the list is always empty")}
	}
	t := b.value(s.items, inner)
	if s.items.nulls > 0 {
		t = []any{"null", t}
	}
	return arraySchema{"array", t}
}

// WriteFolder writes the schemas into a folder, which it makes if need be. A
// file that exists is kept as it is. Both results are file names, sorted.
func (i *Inferrer) WriteFolder(dir string) (written, kept []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, fmt.Errorf("making schema folder: %w", err)
	}
	for _, s := range i.Schemas() {
		err := writeNew(dir, s)
		switch {
		case errors.Is(err, fs.ErrExist):
			kept = append(kept, s.FileName)
		case err != nil:
			return written, kept, fmt.Errorf("writing schema: %w", err)
		default:
			written = append(written, s.FileName)
		}
	}
	return written, kept, nil
}

// writeNew writes a file that is not there yet.
func writeNew(dir string, s InferredSchema) error {
	name := filepath.Join(dir, s.FileName)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(s.JSON)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// checkFileName says why an event type cannot have a schema file of its name.
func checkFileName(eventType string) error {
	const most = 200 // file systems take 255 bytes
	switch {
	case eventType == "" || strings.ContainsAny(eventType, "/\\\x00"):
		return fmt.Errorf("the event type %q cannot be the name of a file", eventType)
	case len(eventType) > most:
		return fmt.Errorf("the event type %.40q… has more than %d bytes, so it cannot be the name of a file", eventType, most)
	}
	return nil
}
