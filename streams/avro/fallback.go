package avro

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/twmb/avro"

	"github.com/millrace/millrace/streams"
)

// fallback reads with twmb/avro what the compiler leaves to it. The value has
// been walked before, so its lengths can be believed.
type fallback struct {
	resolved *avro.Schema
	paths    [][]string
	slots    []int
}

func newFallback(w, r *schema, paths []string, slots []int) (*fallback, error) {
	resolved, err := avro.Resolve(w.twmb, r.twmb)
	if err != nil {
		return nil, fmt.Errorf("resolving for %s: %w", paths[slots[0]], err)
	}
	f := &fallback{resolved: resolved, slots: slots}
	for _, slot := range slots {
		f.paths = append(f.paths, strings.Split(paths[slot], "."))
	}
	return f, nil
}

func (f *fallback) read(payload []byte, slots []streams.Slot) error {
	var data any
	if _, err := f.resolved.Decode(payload, &data); err != nil {
		return err
	}
	for i, path := range f.paths {
		if err := setForeign(&slots[f.slots[i]], pick(data, path)); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(path, "."), err)
		}
	}
	return nil
}

// pick follows a path through records; a null on the way is the result.
func pick(v any, path []string) any {
	for _, name := range path {
		record, _ := v.(map[string]any)
		v = record[name]
	}
	return v
}

// setForeign sets a UUID as twmb/avro returns it.
func setForeign(s *streams.Slot, v any) error {
	switch v := v.(type) {
	case nil:
		*s = streams.Slot{Null: true}
	case [16]byte:
		s.SetString(uuidText(v[:]))
	default:
		return fmt.Errorf("twmb/avro returned %T", v)
	}
	return nil
}

// uuidText is the usual form of a UUID: 8-4-4-4-12 hexadecimal digits.
func uuidText(b []byte) string {
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
