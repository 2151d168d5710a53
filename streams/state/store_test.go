package state

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// masks are what is left of a hash: all of it, or less than a store should ever
// meet.
var masks = map[string]uint64{
	"whole":       ^uint64(0),
	"one value":   0,
	"one table":   tagMask,
	"eight homes": 7,
	"one home":    0xff << (tagBits - 8),
	"one tag":     0xff << 56,
	"four tables": 3<<56 | 3<<(tagBits-2),
}

// withBadHash returns an empty store that sees only a part of the hash.
func withBadHash(mask uint64) *Memory {
	m := NewMemory()
	hash := m.hash
	m.hash = func(key []byte) uint64 { return hash(key) & mask }
	return m
}

// TestStoreEqualsTheModel does the same to a store and to a map.
func TestStoreEqualsTheModel(t *testing.T) { rapid.Check(t, equalsTheModel) }

func equalsTheModel(rt *rapid.T) {
	mask := rapid.SampledFrom(slices.Sorted(maps.Keys(masks))).Draw(rt, "mask")
	r := modelRun{rt, withBadHash(masks[mask]), map[string]Entry{}}
	rt.Repeat(map[string]func(*rapid.T){
		"put":        r.put,
		"put many":   r.putMany,
		"put a part": r.putPart,
		"delete":     r.delete,
		"reset":      r.reset,
		"":           r.compare,
	})
}

// modelRun is a store and what should be in it.
type modelRun struct {
	*rapid.T
	store *Memory
	model map[string]Entry
}

var (
	genKey  = rapid.OneOf(rapid.SampledFrom([]string{"", "\x00", "order-1", "order-10"}), rapid.StringMatching(`[a-e]-[0-9]`), rapid.Map(rapid.IntRange(200, 203), func(n int) string { return strings.Repeat("k", n) }))
	genSize = rapid.OneOf(rapid.IntRange(0, 50), rapid.IntRange(0, 50), rapid.IntRange(0, 2000), rapid.SampledFrom([]int{30_000, 70_000, 140_000, 300_000}))
)

// noise is what states are cut out of.
var noise = func() []byte {
	b := make([]byte, 1<<19)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}()

func (r modelRun) put(t *rapid.T) {
	e := Entry{
		Offset:  rapid.Int64().Draw(t, "offset"),
		Version: rapid.Int64().Draw(t, "version"),
		Gone:    rapid.IntRange(0, 4).Draw(t, "gone") == 0,
	}
	if !e.Gone {
		e.Value = noise[rapid.IntRange(0, 255).Draw(t, "seed"):][:genSize.Draw(t, "size")]
	}
	r.write(t, genKey.Draw(t, "key"), e)
}

func (r modelRun) putMany(t *rapid.T) {
	for range rapid.IntRange(2, 20).Draw(t, "puts") {
		r.put(t)
	}
}

// write puts an entry, and spoils what it was handed over in.
func (r modelRun) write(t *rapid.T, key string, e Entry) {
	k, copied := []byte(key), e
	copied.Value = bytes.Clone(e.Value)
	if err := r.store.Put(k, copied); err != nil {
		t.Fatal(err)
	}
	clear(k)
	clear(copied.Value)
	r.model[key] = e
}

// some draws one of the keys that are there.
func (r modelRun) some(t *rapid.T, label string) string {
	if len(r.model) == 0 {
		t.Skip("nothing is there")
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(r.model))).Draw(t, label)
}

// putPart puts what Get returned, or a part of it, into the same entry or
// into another one.
func (r modelRun) putPart(t *rapid.T) {
	from := r.some(t, "from")
	to := rapid.OneOf(rapid.Just(from), genKey).Draw(t, "to")
	size := len(r.model[from].Value)
	first := rapid.IntRange(0, size).Draw(t, "first")
	end := rapid.IntRange(first, size).Draw(t, "end")
	e, ok, err := r.store.Get([]byte(from))
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	e.Value = e.Value[first:end]
	if err := r.store.Put([]byte(to), e); err != nil {
		t.Fatal(err)
	}
	e.Value = r.model[from].Value[first:end]
	r.model[to] = e
}

func (r modelRun) delete(t *rapid.T) {
	key := r.some(t, "key")
	if rapid.IntRange(0, 4).Draw(t, "absent") == 0 {
		key = genKey.Draw(t, "key that may be absent")
	}
	if err := r.store.Delete([]byte(key)); err != nil {
		t.Fatal(err)
	}
	delete(r.model, key)
}

func (r modelRun) reset(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
		r.store.Reset()
		clear(r.model)
	}
}

// compare looks at all entries, one by one and together.
func (r modelRun) compare(t *rapid.T) {
	if r.store.Len() != len(r.model) {
		t.Fatalf("%d entries, want %d", r.store.Len(), len(r.model))
	}
	for key, want := range r.model {
		got, ok, err := r.store.Get([]byte(key))
		if !ok || err != nil || !equal(got, want) {
			t.Fatalf("entry of %q: %+v, %v, %v, want %+v", key, got, ok, err, want)
		}
	}
	if key := genKey.Draw(t, "any key"); r.model[key].Value == nil && !r.model[key].Gone {
		if e, ok, err := r.store.Get([]byte(key)); ok || err != nil {
			t.Fatalf("entry of %q, which is absent: %+v, %v", key, e, err)
		}
	}
	all := map[string]bool{}
	for key, got := range r.store.All() {
		if want, ok := r.model[string(key)]; !ok || all[string(key)] || !equal(got, want) {
			t.Fatalf("among all, entry of %q: %+v, want %+v", key, got, want)
		}
		if cap(key) > len(key) || cap(got.Value) > len(got.Value) {
			t.Fatalf("who appends to the entry of %q writes to the store", key)
		}
		all[string(key)] = true
	}
	if len(all) != len(r.model) {
		t.Fatalf("%d among all, want %d", len(all), len(r.model))
	}
	for range r.store.All() {
		break // an end before the end is one
	}
	checkStructure(t, r.store)
}

func equal(a, b Entry) bool {
	return a.Offset == b.Offset && a.Version == b.Version && a.Gone == b.Gone && bytes.Equal(a.Value, b.Value)
}

// checkStructure looks at what holds a store together: each slot is found by the
// key of its block, each block has one slot, and enough of each table is free.
func checkStructure(t rapid.TB, m *Memory) {
	t.Helper()
	places := map[place]bool{}
	for i := range m.tables {
		table, n := &m.tables[i], 0
		for at, s := range table.slots {
			if s == 0 {
				continue
			}
			n++
			key := keyOf(m.block(s.place()))
			if of, tag := m.tableOf(key); of != table || tag != s.tag() || m.find(table, tag, key) != at {
				t.Fatalf("the slot of %q is not where it is searched", key)
			}
			places[s.place()] = true
		}
		if n != table.n || 4*n > 3*len(table.slots) || len(table.slots) > minSlots && 8*n < len(table.slots) {
			t.Fatalf("%d of %d slots in use, counted %d", n, len(table.slots), table.n)
		}
	}
	blocks := 0
	for i := range m.classes {
		blocks += int(m.classes[i].n)
	}
	if blocks != m.n || len(places) != m.n {
		t.Fatalf("%d entries, %d blocks, %d places", m.n, blocks, len(places))
	}
}
