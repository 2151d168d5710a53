package projection

import (
	"math"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

// keep puts the value of a change into the row, where had says that there is
// one already.
func (f *Fold) keep(src *Source, row int, c *rules.Change, had bool) {
	col := &f.columns[c.Field]
	switch c.Op {
	case rules.OpAdd:
		f.add(row, col, &c.Value, had)
		return
	case rules.OpMin, rules.OpMax:
		if had && !f.beats(row, c) {
			return
		}
	case rules.OpLatest:
		s := stamp{src.Time.Nanos, src.Offset, int32(src.Topic), src.Partition}
		last := &f.orders[row*f.stamps+col.stamp]
		if had && s.before(*last) {
			return
		}
		*last = s
	}
	f.put(row, c.Field, &c.Value)
}

// add adds to the sum of the batch, exactly.
func (f *Fold) add(row int, col *column, v *rules.Value, had bool) {
	n := v.Decimal
	if col.field.Type.Kind == streams.KindInt {
		n = streams.NewDecimal(v.Slot.Int(), 0)
	}
	sum := &f.sums[row*f.numbers+col.number]
	if had {
		n = sum.Add(n)
	}
	*sum = n
}

// beats says whether the value of a min or max takes the place of the kept one.
func (f *Fold) beats(row int, c *rules.Change) bool {
	order := f.compare(row, c)
	if c.Op == rules.OpMin {
		return order < 0
	}
	return order > 0
}

// compare is negative where the value of the change is less than the kept one.
// Times of one instant are ordered by their offset, so that it does not matter
// which of them came first.
func (f *Fold) compare(row int, c *rules.Change) int {
	col, kept := &f.columns[c.Field], &f.cells[row*len(f.columns)+c.Field]
	v := &c.Value
	switch col.field.Type.Kind {
	case streams.KindDecimal:
		return v.Decimal.Cmp(f.sums[row*f.numbers+col.number])
	case streams.KindFloat:
		return compare(v.Slot.Float(), math.Float64frombits(uint64(kept.n)))
	case streams.KindTime:
		if v.Slot.Bits == kept.n {
			return compare(v.Slot.Offset, kept.size)
		}
	}
	return compare(v.Slot.Bits, kept.n)
}

func compare[T int32 | int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// put makes the value that of the field.
func (f *Fold) put(row, field int, v *rules.Value) {
	col, c := &f.columns[field], &f.cells[row*len(f.columns)+field]
	switch col.field.Type.Kind {
	case streams.KindString, streams.KindBytes:
		f.copyText(c, v.Slot.Str)
	case streams.KindDecimal:
		f.sums[row*f.numbers+col.number] = v.Decimal
	case streams.KindTime:
		c.n, c.size = v.Slot.Bits, v.Slot.Offset
	default:
		c.n = v.Slot.Bits
	}
}

// copyText copies a text, over the former one of the cell where it fits.
func (f *Fold) copyText(c *cell, s string) {
	n := int32(len(s))
	if n > c.room {
		c.n, c.room = int64(len(f.texts)), n
		f.texts = append(f.texts, s...)
	} else {
		copy(f.texts[c.n:], s)
	}
	c.size = n
}

// text returns the text of a cell.
func (f *Fold) text(c *cell) []byte { return f.texts[c.n : c.n+int64(c.size)] }
