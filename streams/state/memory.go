package state

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"iter"
	"unsafe"
)

// Memory is a [Store] in memory, made by [NewMemory]. See the package comment for
// how it is laid out.
type Memory struct {
	hash    func(key []byte) uint64
	tables  [tables]table
	classes [classes + 1]class // by number; there is no class 0
	n       int
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	seed := maphash.MakeSeed()
	m := &Memory{hash: func(key []byte) uint64 { return maphash.Bytes(seed, key) }}
	m.Reset()
	return m
}

// Len implements [Store].
func (m *Memory) Len() int { return m.n }

// Size is how many bytes the store holds, used or not.
func (m *Memory) Size() int64 {
	n := int64(unsafe.Sizeof(*m))
	for i := range m.tables {
		n += int64(len(m.tables[i].slots)) * int64(unsafe.Sizeof(slot(0)))
	}
	for i := range m.classes {
		n += m.classes[i].bytes()
	}
	return n
}

// Reset empties the store and gives its memory back.
func (m *Memory) Reset() {
	*m = Memory{hash: m.hash}
	for i := 1; i < len(m.classes); i++ {
		m.classes[i] = newClass(sizeOf(i))
	}
}

// Get implements [Store]. It returns no error.
func (m *Memory) Get(key []byte) (Entry, bool, error) {
	t, tag := m.tableOf(key)
	i := m.find(t, tag, key)
	if i < 0 {
		return Entry{}, false, nil
	}
	return decode(m.block(t.slots[i].place())), true, nil
}

// Put implements [Store]. It returns an error for a key and a value of more than
// 1 GiB together.
func (m *Memory) Put(key []byte, e Entry) error {
	need := needs(key, e.Value)
	if need > headerSize+mostBytes {
		return fmt.Errorf("stream %.100q: its ID and state have %d bytes, a store keeps at most %d: fold less into the state", key, need-headerSize, mostBytes)
	}
	t, tag := m.tableOf(key)
	i := m.find(t, tag, key)
	if i < 0 {
		t.insert(slotOf(m.add(need, key, e), tag))
		m.n++
		return nil
	}
	was := t.slots[i].place()
	if block := m.block(was); need <= len(block) && 4*need > 3*len(block) {
		encode(block, key, e)
		return nil
	}
	t.slots[i] = slotOf(m.add(need, key, e), tag)
	m.drop(was)
	return nil
}

// Delete implements [Store]. It returns no error.
func (m *Memory) Delete(key []byte) error {
	t, tag := m.tableOf(key)
	if i := m.find(t, tag, key); i >= 0 {
		was := t.slots[i].place()
		t.remove(i)
		m.drop(was)
		m.n--
	}
	return nil
}

// All implements [Store].
func (m *Memory) All() iter.Seq2[[]byte, Entry] {
	return func(yield func([]byte, Entry) bool) {
		for i := range m.classes {
			c := &m.classes[i]
			for number := range c.n {
				if block := c.block(number); !yield(keyOf(block), decode(block)) {
					return
				}
			}
		}
	}
}

// tableOf returns the table that a key is searched in, and its tag there.
func (m *Memory) tableOf(key []byte) (*table, uint64) {
	h := m.hash(key)
	return &m.tables[h>>56], h & tagMask
}

// find returns the index of the slot of a key, or -1.
func (m *Memory) find(t *table, tag uint64, key []byte) int {
	if t.n == 0 {
		return -1
	}
	for i := t.home(tag); t.slots[i] != 0; i = t.after(i) {
		if s := t.slots[i]; s.tag() == tag && bytes.Equal(keyOf(m.block(s.place())), key) {
			return i
		}
	}
	return -1
}

func (m *Memory) block(p place) []byte { return m.classes[p.class()].block(p.number()) }

// add writes an entry to a new block.
func (m *Memory) add(need int, key []byte, e Entry) place {
	class := classFor(need)
	p := placeOf(class, m.classes[class].add())
	encode(m.block(p), key, e)
	return p
}

// drop gives up a block that no slot points to any more. The last block of its
// class takes its place.
func (m *Memory) drop(p place) {
	c := &m.classes[p.class()]
	if last := placeOf(p.class(), c.n-1); p != last {
		block := c.block(last.number())
		copy(c.block(p.number()), block)
		t, tag := m.tableOf(keyOf(block))
		t.move(tag, last, p)
	}
	c.drop()
}
