package avro

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

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

// appendDefault appends a default in Avro binary. The keys of a map are sorted,
// so that its bytes are always the same.
func (d definitions) appendDefault(dst []byte, n *avro.SchemaNode, v any) []byte {
	n = d.get(n)
	switch n.Type {
	case "record":
		record, _ := v.(map[string]any)
		for i := range n.Fields {
			field, _ := inRecord(&n.Fields[i], record)
			dst = d.appendDefault(dst, &n.Fields[i].Type, field)
		}
		return dst
	case "union":
		for k := range n.Branches {
			if b := d.get(&n.Branches[k]); holdsDefault(b.Type, v) {
				return d.appendDefault(binary.AppendVarint(dst, int64(k)), b, v)
			}
		}
	case "array", "map":
		return d.appendBlocks(dst, n, v)
	case "enum":
		return binary.AppendVarint(dst, int64(slices.Index(n.Symbols, v.(string))))
	case "fixed":
		return append(dst, v.([]byte)...)
	}
	return appendScalar(dst, v)
}

// appendBlocks appends the default of an array or a map: a block with all items,
// if there are any, and the empty one.
func (d definitions) appendBlocks(dst []byte, n *avro.SchemaNode, v any) []byte {
	items, _ := v.([]any)
	values, _ := v.(map[string]any)
	if count := len(items) + len(values); count > 0 {
		dst = binary.AppendVarint(dst, int64(count))
	}
	for _, item := range items {
		dst = d.appendDefault(dst, n.Items, item)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		dst = d.appendDefault(appendScalar(dst, key), n.Values, values[key])
	}
	return append(dst, 0)
}

// appendScalar appends a value of the Go type that a default of it has. A null
// takes no bytes.
func appendScalar(dst []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return appendBool(dst, v)
	case int32:
		return binary.AppendVarint(dst, int64(v))
	case int64:
		return binary.AppendVarint(dst, v)
	case float32:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
	case float64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	case string:
		return appendText(dst, v)
	case []byte:
		return appendText(dst, view(v))
	}
	return dst
}
