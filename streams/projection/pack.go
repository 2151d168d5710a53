package projection

import (
	"encoding/base64"
	"math"
	"strconv"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
)

// packer writes a fold as the one argument that the script reads: a flat JSON
// array in which every value is a string, because a JSON number would become a
// double.
//
// Rows that do the same ops on the same fields have one shape. They stand
// together, behind a header that says it once:
//
//	rows, delete (0 or 1), ops, then an op code and a field name for each op,
//	then for each row its whole key and the values of its ops, in their order
//
// The codes: s set, u unset (no value), i add to an int, a add to a decimal, n
// min and x max of numbers, N min and X max of times (the value, then its sort
// key), l latest (the value, then its sort key).
type packer struct {
	buf    []byte
	shapes map[string]int32 // by the marks of a row
	groups []group
	next   []int32 // per row: the next one of its shape, -1 behind the last
}

// group is the rows of one shape.
type group struct{ rows, first, last int32 }

func (p *packer) reset() {
	p.buf, p.groups, p.next = emptied(p.buf), emptied(p.groups), emptied(p.next)
	clear(p.shapes)
}

// memory is what the packer holds, at least what it needs for a batch of that
// size.
func (p *packer) memory(batch int64) int64 {
	return max(size(p.buf), batch) + size(p.groups) + size(p.next)
}

// pack returns the batch in packed form, with the prefix before the row keys.
// It is valid until the next call of a method.
func (f *Fold) pack(prefix string) []byte {
	p := &f.packer
	p.reset()
	f.group()
	escaped := string(appendEscaped(nil, prefix))
	b := append(p.buf, '[')
	for _, g := range p.groups {
		b = f.appendHeader(b, g)
		for row := g.first; row >= 0; row = p.next[row] {
			b = append(append(b, '"'), escaped...)
			b = append(appendEscaped(b, f.keys[row]), '"', ',')
			b = f.appendRow(b, int(row))
		}
	}
	if len(p.groups) > 0 {
		b = b[:len(b)-1] // the last comma
	}
	p.buf = append(b, ']')
	return p.buf
}

// group finds the rows of each shape.
func (f *Fold) group() {
	p := &f.packer
	if p.shapes == nil {
		p.shapes = make(map[string]int32)
	}
	for row := range int32(len(f.keys)) {
		p.next = append(p.next, -1)
		marks := f.marksOf(int(row))
		// the marks outlive the use of their text as a key: Reset clears both
		shape := textOf(bytesOf(marks))
		i, ok := p.shapes[shape]
		if !ok {
			p.shapes[shape] = int32(len(p.groups))
			p.groups = append(p.groups, group{1, row, row})
			continue
		}
		g := &p.groups[i]
		p.next[g.last] = row
		g.last = row
		g.rows++
	}
}

func (f *Fold) appendHeader(b []byte, g group) []byte {
	marks := f.marksOf(int(g.first))
	ops := 0
	for _, m := range marks[:len(f.columns)] {
		ops += touched(m)
	}
	b = appendNumber(b, int64(g.rows))
	b = appendNumber(b, int64(touched(marks[len(f.columns)])))
	b = appendNumber(b, int64(ops))
	for i, m := range marks[:len(f.columns)] {
		if m == markNone {
			continue
		}
		col := &f.columns[i].field
		code := opCode(col)
		if m == markUnset {
			code = 'u'
		}
		b = append(b, '"', code, '"', ',', '"')
		b = append(appendEscaped(b, col.Name), '"', ',')
	}
	return b
}

// opCode is what the script calls the op that gives the field a value.
func opCode(field *rules.Field) byte {
	ofTime := field.Type.Kind == streams.KindTime
	switch field.Family {
	case rules.FamilyAdd:
		if field.Type.Kind == streams.KindInt {
			return 'i'
		}
		return 'a'
	case rules.FamilyMin:
		if ofTime {
			return 'N'
		}
		return 'n'
	case rules.FamilyMax:
		if ofTime {
			return 'X'
		}
		return 'x'
	case rules.FamilyLatest:
		return 'l'
	}
	return 's'
}

// appendRow appends the values of a row, each as a JSON string and a comma.
func (f *Fold) appendRow(b []byte, row int) []byte {
	marks := f.marksOf(row)
	for i := range f.columns {
		if marks[i] != markWrite {
			continue
		}
		c := &f.cells[row*len(f.columns)+i]
		b = append(f.appendValue(append(b, '"'), row, i), '"', ',')
		switch col := &f.columns[i]; {
		case col.field.Family == rules.FamilyLatest:
			b = append(appendStamp(append(b, '"'), &f.orders[row*f.stamps+col.stamp]), '"', ',')
		case col.field.Type.Kind == streams.KindTime && col.field.Family != rules.FamilySet:
			b = append(appendInstant(append(b, '"'), c), '"', ',')
		}
	}
	return b
}

// appendValue appends the canonical text of a value.
func (f *Fold) appendValue(b []byte, row, i int) []byte {
	col, c := &f.columns[i], &f.cells[row*len(f.columns)+i]
	kind := col.field.Type.Kind
	if kind == streams.KindDecimal || col.field.Family == rules.FamilyAdd {
		return f.sums[row*f.numbers+col.number].Append(b)
	}
	switch kind {
	case streams.KindString:
		return appendEscaped(b, textOf(f.text(c)))
	case streams.KindBytes:
		return base64.StdEncoding.AppendEncode(b, f.text(c))
	case streams.KindBool:
		return strconv.AppendBool(b, c.n != 0)
	case streams.KindFloat:
		return streams.AppendFloat(b, math.Float64frombits(uint64(c.n)))
	case streams.KindTime:
		b, _ = streams.Time{Nanos: c.n, Offset: c.size}.AppendText(b)
		return b
	}
	return strconv.AppendInt(b, c.n, 10)
}

// Widths of the numbers in a sort key: see the layout.
const (
	instantDigits   = 20
	minuteDigits    = 4
	topicDigits     = 4
	partitionDigits = 9
	offsetDigits    = 19
)

// appendStamp appends the sort key of latest: instant, topic, partition, offset.
func appendStamp(b []byte, s *stamp) []byte {
	b = appendDigits(b, sortable(s.nanos), instantDigits)
	b = appendDigits(b, uint64(s.topic), topicDigits)
	b = appendDigits(b, uint64(s.partition), partitionDigits)
	return appendDigits(b, uint64(s.offset), offsetDigits)
}

// appendInstant appends the sort key of a time: the instant, then the minutes
// of its offset, so that one of two times of the same instant is always the
// smaller one.
func appendInstant(b []byte, c *cell) []byte {
	b = appendDigits(b, sortable(c.n), instantDigits)
	return appendDigits(b, uint64(c.size/60+24*60), minuteDigits)
}

// sortable maps nanoseconds to a number from 0, in the same order.
func sortable(nanos int64) uint64 { return uint64(nanos) ^ 1<<63 }

// appendDigits appends n in that many digits.
func appendDigits(b []byte, n uint64, width int) []byte {
	at := len(b)
	for range width {
		b = append(b, '0')
	}
	for i := at + width - 1; i >= at && n > 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return b
}

// appendNumber appends a small number as a JSON string and a comma.
func appendNumber(b []byte, n int64) []byte {
	return append(strconv.AppendInt(append(b, '"'), n, 10), '"', ',')
}

// appendEscaped appends a UTF-8 text as it stands within a JSON string.
func appendEscaped(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		if c == '"' || c == '\\' {
			b = append(b, '\\', c)
		} else {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(b, s[from:]...)
}
