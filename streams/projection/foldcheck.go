package projection

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

// What makes a step an error of its event's record.
var (
	errEmptyKey   = errors.New("the row key is empty")
	errKeyUTF8    = errors.New("the row key is not valid UTF-8")
	errTextUTF8   = errors.New("the text is not valid UTF-8; keep bytes in a field of type bytes")
	errNotFinite  = errors.New("the value is not a finite number")
	errTimeOffset = errors.New("the offset of the time is not whole minutes within a day")
	errSource     = errors.New("topic, partition or offset of the event has too many digits for the order of latest")
)

// The most that the digits of the order of latest can hold: see the layout.
const (
	maxTopics    = 10_000
	maxPartition = 999_999_999
)

// check says whether a step can be merged.
func (f *Fold) check(src *Source, step *rules.Step) error {
	if step.Key == "" {
		return errEmptyKey
	}
	if !utf8.ValidString(step.Key) {
		return errKeyUTF8
	}
	for i := range step.Changes {
		c := &step.Changes[i]
		if c.Field < 0 || c.Field >= len(f.columns) {
			return fmt.Errorf("row %q: a change of field %d, of %d", step.Key, c.Field, len(f.columns))
		}
		field := &f.columns[c.Field].field
		if err := checkChange(src, field, c); err != nil {
			return fmt.Errorf("row %q, field %s: %w", step.Key, field.Name, err)
		}
	}
	return nil
}

func checkChange(src *Source, field *rules.Field, c *rules.Change) error {
	switch {
	case c.Op == rules.OpUnset && field.Family == rules.FamilySet:
		return nil
	case c.Op == rules.OpUnset || c.Op.Family() != field.Family:
		return fmt.Errorf("op %s on a field of family %s", c.Op, field.Family)
	case c.Op == rules.OpAdd:
		return checkOperand(field, &c.Value)
	case c.Op == rules.OpLatest:
		if src.Topic < 0 || src.Topic >= maxTopics || src.Partition < 0 || src.Partition > maxPartition || src.Offset < 0 {
			return errSource
		}
	}
	return checkValue(field.Type.Kind, &c.Value)
}

func checkOperand(field *rules.Field, v *rules.Value) error {
	switch field.Type.Kind {
	case streams.KindInt:
		return nil
	case streams.KindDecimal:
		return checkValue(streams.KindDecimal, v)
	}
	return fmt.Errorf("add to a field of type %s", field.Type)
}

func checkValue(kind streams.Kind, v *rules.Value) error {
	switch kind {
	case streams.KindString:
		if !utf8.ValidString(v.Slot.Str) {
			return errTextUTF8
		}
	case streams.KindDecimal:
		if !v.Decimal.InRange() {
			return streams.ErrDecimalRange
		}
	case streams.KindFloat:
		if f := v.Slot.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return errNotFinite
		}
	case streams.KindTime:
		if o := v.Slot.Offset; o%60 != 0 || o <= -86400 || o >= 86400 {
			return errTimeOffset
		}
	}
	return nil
}
