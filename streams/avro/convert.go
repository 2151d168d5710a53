package avro

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// anyProperty marks a string that holds values of several types: one that is not
// a string is written as its JSON text. The inferrer sets it.
const anyProperty = "millrace.any"

// conversion returns the native form of a JSON value that is not null, and
// whether the value fits the type.
type conversion func(n *avro.SchemaNode, v any) (any, bool)

// scalarEncoder encodes what is neither a record, an array, a map nor a union.
type scalarEncoder struct {
	node    *avro.SchemaNode
	convert conversion
}

func (s scalarEncoder) native(v any, _ int) (any, error) {
	if native, ok := s.convert(s.node, v); ok {
		return native, nil
	}
	return nil, misfitf("%s does not fit %s", shown(v), typeText(s.node))
}

// fallback returns the default as it is: the canonical schema has no logical
// types, and neither have defaults.
func (s scalarEncoder) fallback(v any) any { return v }

func scalarConversion(n *avro.SchemaNode) conversion {
	if isDecimal(n) {
		return decimalNative
	}
	if unitOf(n) != 0 {
		return instantNative
	}
	if isUUID(n) {
		return uuidNative
	}
	switch n.Type {
	case "null":
		return func(_ *avro.SchemaNode, v any) (any, bool) { return nil, v == nil }
	case "boolean":
		return func(_ *avro.SchemaNode, v any) (any, bool) { b, ok := v.(bool); return b, ok }
	case "int", "long":
		return integerNative
	case "float", "double":
		return floatNative
	case "string":
		return stringNative
	case "enum":
		return symbolNative
	}
	return bytesNative
}

func scan(v any) (text string, n decimalNumber, ok bool) {
	number, ok := v.(json.Number)
	if !ok {
		return "", n, false
	}
	n, ok = scanNumber(string(number))
	return string(number), n, ok
}

func integerNative(n *avro.SchemaNode, v any) (any, bool) {
	_, number, ok := scan(v)
	if !ok {
		return nil, false
	}
	i, ok := number.int64()
	return i, ok && (n.Type == "long" || i == int64(int32(i)))
}

func floatNative(n *avro.SchemaNode, v any) (any, bool) {
	text, number, ok := scan(v)
	if !ok {
		return nil, false
	}
	bits := 64
	if n.Type == "float" {
		bits = 32
	}
	f, ok := number.float(text, bits)
	return f, ok
}

func decimalNative(n *avro.SchemaNode, v any) (any, bool) {
	_, number, ok := scan(v)
	if !ok {
		return nil, false
	}
	coefficient := number.unscaled(min(n.Precision, streams.MaxDigits), n.Scale)
	if coefficient == nil {
		return nil, false
	}
	if n.Type == "fixed" {
		b := padded(coefficient, n.Size)
		return b, b != nil
	}
	return twosComplement(coefficient), true
}

// instantNative takes RFC 3339, a date for a date, and numbers in the unit.
func instantNative(n *avro.SchemaNode, v any) (any, bool) {
	unit := unitOf(n)
	text, ok := v.(string)
	if !ok {
		native, ok := integerNative(n, v)
		i, _ := native.(int64)
		return i, ok && i >= minInstant/unit && i <= maxInstant/unit
	}
	t, err := streams.ParseTime(text)
	if err != nil && unit == days {
		var day time.Time
		if day, err = time.Parse(time.DateOnly, text); err == nil {
			t, err = streams.TimeOf(day)
		}
	}
	return t.Nanos / unit, err == nil && t.Nanos%unit == 0
}

func uuidNative(_ *avro.SchemaNode, v any) (any, bool) {
	text, _ := v.(string)
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	return b, err == nil && len(b) == 16 && uuidText(b) == strings.ToLower(text)
}

func stringNative(n *avro.SchemaNode, v any) (any, bool) {
	if text, ok := v.(string); ok {
		return text, true
	}
	if marked, _ := n.Props[anyProperty].(bool); !marked {
		return nil, false
	}
	return jsonText(v)
}

// jsonText is a JSON value as text: keys sorted, numbers as they were written.
func jsonText(v any) (string, bool) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err == nil
}

func symbolNative(n *avro.SchemaNode, v any) (any, bool) {
	text, ok := v.(string)
	return text, ok && slices.Contains(n.Symbols, text)
}

func bytesNative(n *avro.SchemaNode, v any) (any, bool) {
	text, ok := v.(string)
	if !ok {
		return nil, false
	}
	b, err := base64.StdEncoding.DecodeString(text)
	return b, err == nil && (n.Type != "fixed" || len(b) == n.Size)
}
