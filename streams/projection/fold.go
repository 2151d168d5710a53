package projection

import (
	"unsafe"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

// Source names the event that steps come from. It decides between two events
// that write one field of family latest: the later time wins, then the higher
// topic, partition and offset.
type Source struct {
	// Time is the event's.
	Time streams.Time
	// Topic is the index of the topic in the sorted list of the view's topics.
	Topic     int
	Partition int32
	Offset    int64
}

// Fold reduces the events of a batch to at most one op for each field of each
// row. It copies what it keeps, so no fetched buffer stays alive for it.
//
// A Fold is not safe for concurrent use. It is used again after [Fold.Reset].
type Fold struct {
	columns []column
	numbers int // how many columns keep a decimal
	stamps  int // how many columns keep a stamp

	index  map[string]int32 // row number by key
	keys   []string         // by row number
	marks  []mark           // per row: one for each column, then the row's own
	cells  []cell           // per row: one for each column
	sums   []streams.Decimal
	orders []stamp
	texts  []byte // what keys and cells point into
	ops    int

	packer packer
}

// column is a field of the rows, and where its values are kept.
type column struct {
	field  rules.Field
	number int // its place among the decimals of a row, where it has one
	stamp  int // its place among the stamps of a row, where it has one
}

// mark says what a batch does to a field, or to a row.
type mark byte

const (
	markNone  mark = iota
	markWrite      // the cell holds a value
	markUnset      // the field is removed
	// markDelete, in the place of the row, says that the row is removed before
	// anything is written to it: what Redis has of it counts as absent.
	markDelete
)

// cell holds a value that is not a decimal.
type cell struct {
	n    int64 // an int, a bool, the bits of a float, the nanoseconds of a time; where a text begins
	size int32 // the length of a text; the offset of a time
	room int32 // the length that a text may have where it begins
}

// stamp is the order of the events that write a field of family latest.
type stamp struct {
	nanos     int64
	offset    int64
	topic     int32
	partition int32
}

// before says whether s loses against t.
func (s stamp) before(t stamp) bool {
	switch {
	case s.nanos != t.nanos:
		return s.nanos < t.nanos
	case s.topic != t.topic:
		return s.topic < t.topic
	case s.partition != t.partition:
		return s.partition < t.partition
	}
	return s.offset < t.offset
}

// NewFold returns an empty fold of rows with those fields, which are those of
// the steps' program.
func NewFold(fields []rules.Field) *Fold {
	f := &Fold{columns: make([]column, len(fields)), index: make(map[string]int32)}
	for i, field := range fields {
		f.columns[i] = column{field, f.numbers, f.stamps}
		if field.Family == rules.FamilyAdd || field.Type.Kind == streams.KindDecimal {
			f.numbers++
		}
		if field.Family == rules.FamilyLatest {
			f.stamps++
		}
	}
	return f
}

// Rows is how many rows the batch touches.
func (f *Fold) Rows() int { return len(f.keys) }

// Ops is how many ops the batch makes: one for each field of each row that it
// touches, and one for each row that it deletes.
func (f *Fold) Ops() int { return f.ops }

// Memory is about how many bytes the fold holds: for the batch, for its packed
// form, and for the next batch.
func (f *Fold) Memory() int64 {
	const entry = 32 // of the index
	held := int64(cap(f.keys))*entry + size(f.keys) + size(f.marks) + size(f.cells) + size(f.sums) + size(f.orders) + size(f.texts)
	return held + f.packer.memory(int64(len(f.keys))*f.packedRow()+2*int64(len(f.texts)))
}

// packedRow is what a row takes in packed form without its texts.
func (f *Fold) packedRow() int64 {
	const value, order = 16, 60
	return value*int64(len(f.columns)+1) + order*int64(f.stamps)
}

// size is what a slice holds.
func size[T any](s []T) int64 {
	var zero T
	return int64(cap(s)) * int64(unsafe.Sizeof(zero))
}

// Free empties the fold and gives all of its memory back.
func (f *Fold) Free() {
	*f = Fold{columns: f.columns, numbers: f.numbers, stamps: f.stamps, index: make(map[string]int32)}
}

// Reset empties the fold. It keeps its memory for the next batch, but for what
// this batch was much too small for.
func (f *Fold) Reset() {
	if spacious(f.keys) {
		f.index = make(map[string]int32)
	} else {
		clear(f.index)
	}
	clear(f.sums) // big numbers are not kept alive
	f.keys, f.marks, f.cells = emptied(f.keys), emptied(f.marks), emptied(f.cells)
	f.sums, f.orders, f.texts = emptied(f.sums), emptied(f.orders), emptied(f.texts)
	f.packer.reset()
	f.ops = 0
}

// emptied returns s without its elements; without its memory, too, where that
// is far more than they needed.
func emptied[T any](s []T) []T {
	if spacious(s) {
		return nil
	}
	return s[:0]
}

// spacious says that s has far more memory than it needs.
func spacious[T any](s []T) bool { return cap(s) > 4*len(s)+1024 }

// Apply merges the steps of one event. All are checked before any of them is
// merged: after an error, which is one of the event's record, the fold is what
// it was.
func (f *Fold) Apply(src Source, steps []rules.Step) error {
	for i := range steps {
		if err := f.check(&src, &steps[i]); err != nil {
			return err
		}
	}
	for i := range steps {
		f.merge(&src, &steps[i])
	}
	return nil
}

func (f *Fold) merge(src *Source, step *rules.Step) {
	if !step.Delete && len(step.Changes) == 0 {
		return
	}
	row := f.row(step.Key)
	if step.Delete {
		f.delete(row)
	}
	for i := range step.Changes {
		f.change(src, row, &step.Changes[i])
	}
}

// row returns the number of the row with that key.
func (f *Fold) row(key string) int {
	if row, ok := f.index[key]; ok {
		return int(row)
	}
	row := len(f.keys)
	at := len(f.texts)
	f.texts = append(f.texts, key...)
	key = textOf(f.texts[at:])
	f.index[key] = int32(row)
	f.keys = append(f.keys, key)
	f.marks = grown(f.marks, len(f.columns)+1)
	f.cells = grown(f.cells, len(f.columns))
	f.sums = grown(f.sums, f.numbers)
	f.orders = grown(f.orders, f.stamps)
	return row
}

// grown returns s with n zero elements more.
func grown[T any](s []T, n int) []T {
	for range n {
		var zero T
		s = append(s, zero)
	}
	return s
}

// delete removes the row and what the batch wrote to it before.
func (f *Fold) delete(row int) {
	marks := f.marksOf(row)
	for i, m := range marks {
		if m != markNone {
			f.ops--
		}
		marks[i] = markNone
	}
	marks[len(f.columns)] = markDelete
	f.ops++
}

// marksOf returns the marks of a row: one for each column, then the row's own.
func (f *Fold) marksOf(row int) []mark {
	n := len(f.columns) + 1
	return f.marks[row*n : row*n+n]
}

// change merges one change into the row's cell.
func (f *Fold) change(src *Source, row int, c *rules.Change) {
	marks := f.marksOf(row)
	was := marks[c.Field]
	now := markWrite
	if c.Op == rules.OpUnset {
		if now = markUnset; marks[len(f.columns)] == markDelete {
			now = markNone // nothing is left that could be removed
		}
	}
	f.ops += touched(now) - touched(was)
	marks[c.Field] = now
	if now == markWrite {
		f.keep(src, row, c, was == markWrite)
	}
}

func touched(m mark) int {
	if m == markNone {
		return 0
	}
	return 1
}

// bytesOf returns marks as bytes, without copying them.
func bytesOf(m []mark) []byte { return unsafe.Slice((*byte)(unsafe.SliceData(m)), len(m)) }

// textOf returns b as a string without copying it.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
