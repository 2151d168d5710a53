package avro

import (
	"encoding/json"
	"errors"
	"fmt"
)

// JSONWriter writes values of one event type from JSON. It is safe for concurrent use.
type JSONWriter struct {
	eventType string
	schema    *schema
	root      encoder
}

// JSONWriter returns a writer of JSON for an event type, with the schema of its name. An
// unknown event type is an error that is [ErrUnknownType].
func (c *Codec) JSONWriter(eventType string) (*JSONWriter, error) {
	s, err := c.reader(eventType)
	if err != nil {
		return nil, err
	}
	b := encoderBuilder{s, map[string]*recordEncoder{}}
	return &JSONWriter{eventType, s, b.node(s.root)}, nil
}

// EncodeJSON appends the value of an event whose data is a JSON object to dst.
// Fields are found by their names in the schema or by what those were escaped
// from. A missing field gets its default, or null where it can be that.
//
// Numbers are taken as they are written and never rounded. Instants are RFC
// 3339 or numbers in their unit, dates 2006-01-02, bytes base64. A field that
// the schema does not have, and a value that does not fit its field, is an error
// that names the path and the type. On an error dst is returned as it was.
func (w *JSONWriter) EncodeJSON(dst []byte, data json.RawMessage) ([]byte, error) {
	v, err := parseJSON(data)
	if err != nil {
		return dst, fmt.Errorf("writing %s: data: %w", w.eventType, err)
	}
	native, err := w.root.native(v, 0)
	if err != nil {
		return dst, fmt.Errorf("writing %s: data%w", w.eventType, err)
	}
	out, err := w.schema.goavro.SingleFromNative(dst, native)
	if err != nil {
		return dst, fmt.Errorf("writing %s: %w", w.eventType, err)
	}
	return out, nil
}

// misfitError is a value that does not fit, at a place within the data.
type misfitError struct {
	path, text string
}

func (m *misfitError) Error() string { return m.path + ": " + m.text }

// within puts the name of a field or an index before the path of a misfit.
func within(place string, err error) error {
	var m *misfitError
	if errors.As(err, &m) {
		return &misfitError{place + m.path, m.text}
	}
	return &misfitError{place, err.Error()}
}

func misfitf(format string, args ...any) error {
	return &misfitError{text: fmt.Sprintf(format, args...)}
}

// shown is a JSON value for an error, not too long.
func shown(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%T", v)
	}
	const most = 80
	if runes := []rune(string(b)); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(b)
}
