package state

const (
	tables   = 256
	minSlots = 8
	tagBits  = 24
	tagMask  = 1<<tagBits - 1
)

// slot is one word of a table: a place and, below it, the tag of its key, that is
// the lower bits of the hash. The tag says where the search for the key begins,
// and all but spares looking at blocks of other keys. A slot of 0 is free.
type slot uint64

// place is where a block is: its class, and below it 32 bits for its number there.
// Classes begin at 1, so no place is 0.
type place uint64

func placeOf(class int, number uint32) place { return place(class)<<32 | place(number) }

func (p place) class() int     { return int(p >> 32) }
func (p place) number() uint32 { return uint32(p) }

func slotOf(p place, tag uint64) slot { return slot(p)<<tagBits | slot(tag) }

func (s slot) place() place { return place(s >> tagBits) }
func (s slot) tag() uint64  { return uint64(s & tagMask) }

// table is a hash table with open addressing: from where its tag points to, a
// slot stands at the first place that was free. At least a quarter is free.
type table struct {
	slots []slot // a power of two, or none
	n     int
}

// insert adds a slot, and makes room for it.
func (t *table) insert(s slot) {
	if 4*(t.n+1) > 3*len(t.slots) {
		t.resize(max(minSlots, 2*len(t.slots)))
	}
	t.n++
	t.set(s)
}

// set writes a slot to the first free place.
func (t *table) set(s slot) {
	i := t.home(s.tag())
	for t.slots[i] != 0 {
		i = t.after(i)
	}
	t.slots[i] = s
}

// home is where the search for a tag begins.
func (t *table) home(tag uint64) int { return int(tag) & (len(t.slots) - 1) }

func (t *table) after(i int) int { return (i + 1) & (len(t.slots) - 1) }

// move corrects the slot of the block that was at a place.
func (t *table) move(tag uint64, from, to place) {
	i := t.home(tag)
	for t.slots[i].place() != from {
		i = t.after(i)
	}
	t.slots[i] = slotOf(to, tag)
}

// remove takes a slot out, and brings those behind it as near to where they are
// searched from as they can come: no mark of it has to stay.
func (t *table) remove(free int) {
	for i := t.after(free); t.slots[i] != 0; i = t.after(i) {
		mask := len(t.slots) - 1
		if (i-t.home(t.slots[i].tag()))&mask >= (i-free)&mask {
			t.slots[free] = t.slots[i]
			free = i
		}
	}
	t.slots[free] = 0
	if t.n--; len(t.slots) > minSlots && 8*t.n <= len(t.slots) {
		t.resize(len(t.slots) / 2)
	}
}

func (t *table) resize(size int) {
	old := t.slots
	t.slots = make([]slot, size)
	for _, s := range old {
		if s != 0 {
			t.set(s)
		}
	}
}
