package avro

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/millrace/millrace/streams"
)

// MaxDepth is how deep values of a type within itself may nest.
const MaxDepth = 64

// maxEmptyItems bounds the items without bytes (nulls, for example) in all
// arrays of a value: their number is all that a value says of them.
const maxEmptyItems = 4096

var (
	errDepth   = fmt.Errorf("the value nests deeper than %d", MaxDepth)
	errUTF8    = errors.New("the text is not UTF-8")
	errDigits  = fmt.Errorf("the decimal has more than %d digits", streams.MaxDigits)
	errEmpty   = fmt.Errorf("an array has more than %d items without bytes", maxEmptyItems)
	errSize    = errors.New("a block of an array or map is not as long as it says")
	errTail    = errors.New("bytes are left over behind the last field")
	errSymbol  = errors.New("the enum has no such symbol")
	errBranch  = errors.New("the union has no such branch")
	errInstant = streams.ErrTimeRange
)

// The instants that streams.Time holds: from the start of 1678 to the end of
// 2261, in nanoseconds.
const (
	minInstant int64 = -9_214_560_000_000_000_000
	maxInstant int64 = 9_214_646_400_000_000_000 - 1
)

// machine runs a program over one value.
type machine struct {
	cursor
	p     *program
	slots []streams.Slot
	depth int
	empty int64
	// failed is the slot that could not be filled, -1 for a value that nobody
	// wants.
	failed int
}

// start makes the machine ready for a value.
func (m *machine) start(p *program, b []byte, slots []streams.Slot) {
	m.cursor = cursor{b: b}
	m.p, m.slots = p, slots
	m.depth, m.empty, m.failed = 0, 0, -1
}

// read fills the slots; it fails unless the steps take all bytes.
func (m *machine) read(p *program, b []byte, slots []streams.Slot) error {
	m.start(p, b, slots)
	m.run(p.steps, 0, len(p.steps))
	if m.err == nil && m.i < len(b) {
		m.fail(errTail)
	}
	return m.err
}

// run does the steps from pc to end.
func (m *machine) run(steps []step, pc, end int) {
	for pc < end {
		st := steps[pc]
		pc++
		switch {
		case st.op <= lastSkip:
			m.skip(st)
		case st.op <= lastRead:
			m.fill(st)
		default:
			pc = m.branch(steps, pc, st)
		}
		if m.err != nil {
			if st.op > lastSkip && st.op <= lastRead {
				m.failed = int(st.slot)
			}
			return
		}
	}
}

func (m *machine) skip(st step) {
	switch st.op {
	case opSkipFixed:
		m.take(int(st.n))
		return
	case opSkipEnum:
		if v := m.int32(); v < 0 || v >= int64(st.n) {
			m.fail(errSymbol)
		}
		return
	}
	for n := st.n; n > 0 && m.err == nil; n-- {
		switch st.op {
		case opSkipLong:
			m.varint()
		case opSkipInt:
			m.int32()
		case opSkipBytes:
			m.bytes()
		case opSkipBool:
			m.bool()
		}
	}
}

// fill reads a value into the slot of the step.
func (m *machine) fill(st step) {
	s := &m.slots[st.slot]
	switch st.op {
	case opLong:
		s.SetInt(m.varint())
	case opInt:
		s.SetInt(m.int32())
	case opLongToFloat:
		s.SetFloat(toFloat(m.varint(), st.n))
	case opIntToFloat:
		s.SetFloat(toFloat(m.int32(), st.n))
	case opFloat:
		s.SetFloat(m.float32())
	case opDouble:
		s.SetFloat(m.float64())
	case opBool:
		s.SetBool(m.bool())
	case opString:
		m.text(s, m.bytes())
	case opBytes:
		s.SetString(view(m.bytes()))
	case opFixed:
		s.SetString(view(m.take(int(st.n))))
	case opEnum:
		m.symbol(s, m.p.symbols[st.n])
	case opDecimal:
		m.decimal(s, m.bytes())
	case opDecimalFixed:
		m.decimal(s, m.take(int(st.n)))
	case opUUID:
		m.uuid(s, m.take(uuidSize))
	case opInstant:
		m.instant(s, m.varint(), m.p.units[st.n])
	case opIntInstant:
		m.instant(s, m.int32(), m.p.units[st.n])
	case opConst:
		*s = m.p.consts[st.n]
	}
}

// branch does a step that chooses the next one, and returns it.
func (m *machine) branch(steps []step, pc int, st step) int {
	switch st.op {
	case opUnion:
		jumps, v := m.p.jumps[st.n:], m.int32()
		if v < 0 || v >= int64(jumps[0]) {
			m.fail(errBranch)
			return pc
		}
		return int(jumps[1+v])
	case opJump:
		return int(st.n)
	case opBlocks:
		m.blocks(steps, pc, int(st.n))
		return int(st.n)
	case opCall:
		m.call(m.p.subs[st.n])
	case opFail:
		m.fail(m.p.reasons[st.n])
	}
	return pc
}

func (m *machine) call(sub []step) {
	if m.depth == MaxDepth {
		m.fail(errDepth)
		return
	}
	m.depth++
	m.run(sub, 0, len(sub))
	m.depth--
}

// blocks passes an array or a map: blocks of items until an empty one. The
// length in bytes that a block may have is checked, not believed.
func (m *machine) blocks(steps []step, pc, end int) {
	for m.err == nil {
		n, size := m.varint(), int64(0)
		if n == 0 {
			return
		}
		sized := n < 0
		if sized {
			if n = -n; n < 0 {
				m.fail(errLength)
				return
			}
			size = m.varint()
		}
		start := m.i
		m.items(steps, pc, end, n)
		if sized && int64(m.i-start) != size {
			m.fail(errSize)
		}
	}
}

// items passes n items. One that has steps takes a byte at least, so that the
// bytes bound how many there are.
func (m *machine) items(steps []step, pc, end int, n int64) {
	switch {
	case m.err != nil:
	case pc == end:
		if n > maxEmptyItems-m.empty {
			m.fail(errEmpty)
		}
		m.empty += n
	default:
		for ; n > 0 && m.err == nil; n-- {
			m.run(steps, pc, end)
		}
	}
}

func toFloat(v int64, bits int32) float64 {
	if bits == 32 {
		return float64(float32(v))
	}
	return float64(v)
}

func (m *machine) text(s *streams.Slot, b []byte) {
	if !utf8.Valid(b) {
		m.fail(errUTF8)
		return
	}
	s.SetString(view(b))
}

func (m *machine) symbol(s *streams.Slot, symbols []string) {
	v := m.int32()
	if v < 0 || v >= int64(len(symbols)) || symbols[v] == "" {
		m.fail(errSymbol)
		return
	}
	s.SetString(symbols[v])
}

func (m *machine) instant(s *streams.Slot, v, unit int64) {
	if v < minInstant/unit || v > maxInstant/unit {
		m.fail(errInstant)
		return
	}
	s.SetTime(streams.Time{Nanos: v * unit})
}
