package avro

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// Decode returns the name of the record that a value holds and its data, for
// people: by the writer's own schema, without resolution. The data can be
// written by encoding/json: records and maps are map[string]any, with names of
// fields as they were before [EscapeName]; decimals are json.Number; instants
// are RFC 3339 and dates 2006-01-02; bytes are base64; floats that JSON cannot
// hold are text.
func (c *Codec) Decode(value []byte) (schemaName string, data any, err error) {
	fingerprint, payload, err := split(value)
	if err != nil {
		return "", nil, err
	}
	s, err := c.writer("<type>", fingerprint) // which nobody has named
	if err != nil {
		return "", nil, err
	}
	// The walk comes first: it believes no length, and what it accepts is as
	// long as it says.
	p, err := compile(s, s, nil)
	if err != nil {
		return s.name(), nil, err
	}
	var m machine
	if err := m.read(p, payload, nil); err != nil {
		return s.name(), nil, fmt.Errorf("reading a value written with %s: at byte %d of %d: %w", s.file, headerSize+m.i, len(value), err)
	}
	var v any
	if _, err := s.plain.Decode(payload, &v, avro.TaggedUnions()); err != nil {
		return s.name(), nil, fmt.Errorf("reading a value written with %s: %w", s.file, err)
	}
	return s.name(), shower{s}.value(s.root, v), nil
}

// maxShownDecimal is the length of a coefficient in bytes from which on it is
// shown as bytes: making digits of it takes time that grows with its square.
const maxShownDecimal = 64

// shower makes decoded values fit to be shown.
type shower struct{ schema *schema }

func (s shower) value(n *avro.SchemaNode, v any) any {
	n = s.schema.defs.get(n)
	switch v := v.(type) {
	case map[string]any:
		return s.object(n, v)
	case []any:
		for i := range v {
			v[i] = s.value(n.Items, v[i])
		}
		return v
	case int32:
		return s.integer(n, int64(v))
	case int64:
		return s.integer(n, v)
	case []byte:
		return s.bytes(n, v)
	case float32:
		return float(float64(v), 32)
	case float64:
		return float(v, 64)
	}
	return v
}

// object shows a record, a map, or what a union holds.
func (s shower) object(n *avro.SchemaNode, v map[string]any) any {
	out := make(map[string]any, len(v))
	switch n.Type {
	case "record":
		for i := range n.Fields {
			f := &n.Fields[i]
			out[UnescapeName(f.Name)] = s.value(&f.Type, v[f.Name])
		}
	case "map":
		for k := range v {
			out[k] = s.value(n.Values, v[k])
		}
	case "union":
		for i := range n.Branches {
			b := s.schema.defs.get(&n.Branches[i])
			if inner, ok := v[s.schema.tag(b)]; ok {
				return s.value(b, inner)
			}
		}
	}
	return out
}

func (s shower) integer(n *avro.SchemaNode, v int64) any {
	unit := unitOf(n)
	if unit == 0 {
		return v
	}
	if unit == days {
		return time.Unix(v*86_400, 0).UTC().Format(time.DateOnly)
	}
	perSecond := int64(time.Second) / unit
	seconds, rest := v/perSecond, v%perSecond
	return time.Unix(seconds, rest*unit).UTC().Format(time.RFC3339Nano)
}

func (s shower) bytes(n *avro.SchemaNode, b []byte) any {
	switch {
	case isDecimal(n) && len(b) <= maxShownDecimal:
		return json.Number(streams.DecimalFromBytes(b, n.Scale).String())
	case isUUID(n):
		return uuidText(b)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func float(f float64, bits int) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, bits))
}
