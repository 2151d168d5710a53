package avro

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"github.com/twmb/avro"
)

// canonicalJSON is a default as JSON: keys sorted, numbers in their shortest
// form, bytes one character each, as Avro writes them.
func canonicalJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(plainDefault(v)); err != nil {
		return fmt.Sprintf("%q", fmt.Sprint(v))
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// plainDefault makes a default something that encoding/json writes.
func plainDefault(v any) any {
	switch v := v.(type) {
	case []byte:
		runes := make([]rune, len(v))
		for i, c := range v {
			runes[i] = rune(c)
		}
		return string(runes)
	case float32:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Sprint(f)
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plainDefault(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = plainDefault(v[k])
		}
		return out
	}
	return v
}

// defaultBranch is the branch of a union that a default belongs to: the first
// whose Go type it has.
func (d definitions) defaultBranch(union *avro.SchemaNode, v any) *avro.SchemaNode {
	for i := range union.Branches {
		if b := d.get(&union.Branches[i]); holdsDefault(b.Type, v) {
			return b
		}
	}
	return nil
}

func holdsDefault(avroType string, v any) bool {
	switch v.(type) {
	case nil:
		return avroType == "null"
	case bool:
		return avroType == "boolean"
	case int32:
		return avroType == "int"
	case int64:
		return avroType == "long"
	case float32:
		return avroType == "float"
	case float64:
		return avroType == "double"
	case string:
		return avroType == "string" || avroType == "enum"
	case []byte:
		return avroType == "bytes" || avroType == "fixed"
	case []any:
		return avroType == "array"
	case map[string]any:
		return avroType == "record" || avroType == "map"
	}
	return false
}

// inRecord is the default of one field within the default of its record.
func inRecord(f *avro.SchemaField, record map[string]any) (any, bool) {
	if v, ok := record[f.Name]; ok {
		return v, true
	}
	return f.Default, f.HasDefault
}
