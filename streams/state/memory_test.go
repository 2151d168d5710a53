package state

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
)

// put puts a state of n bytes.
func put(tb testing.TB, m *Memory, key []byte, n int) {
	tb.Helper()
	if err := m.Put(key, Entry{Value: zeros[:n]}); err != nil {
		tb.Fatal(err)
	}
}

var zeros [1 << 20]byte

// renewed is a new store with the entries of another one.
func renewed(tb testing.TB, m *Memory) *Memory {
	tb.Helper()
	fresh := NewMemory()
	for key, e := range m.All() {
		if err := fresh.Put(key, e); err != nil {
			tb.Fatal(err)
		}
	}
	return fresh
}

// TestAgeIsNotSeen lets entries come, go, grow and shrink for long: the store
// stays about as large as a new one with the same entries.
func TestAgeIsNotSeen(t *testing.T) {
	const keys, rounds = 2000, 40
	for name, size := range map[string]func(round int, r *rand.Rand) int{
		"random":              func(_ int, r *rand.Rand) int { return r.IntN(2000) },
		"all grow":            func(round int, _ *rand.Rand) int { return 60 * round },
		"all shrink":          func(round int, _ *rand.Rand) int { return 60 * (rounds - round) },
		"all grow and shrink": func(round int, _ *rand.Rand) int { return 30 << (round % 7) },
		"sizes fall":          func(round int, r *rand.Rand) int { return r.IntN(3000 >> (round % 10)) },
		"few are large":       func(_ int, r *rand.Rand) int { return 100_000 / (r.IntN(3000) + 1) },
	} {
		t.Run(name, func(t *testing.T) {
			m, r := NewMemory(), rand.New(rand.NewPCG(1, 2))
			var key []byte
			for round := range rounds {
				for range keys {
					key = benchKey(key, r.Uint64N(keys))
					if r.IntN(4) == 0 {
						m.Delete(key)
					} else {
						put(t, m, key, size(round, r))
					}
				}
				if round%4 > 0 {
					continue
				}
				checkStructure(t, m)
				if fresh := renewed(t, m).Size(); m.Size() > 2*fresh+64<<10 {
					t.Fatalf("round %d: %d bytes, a new store has %d", round, m.Size(), fresh)
				}
			}
		})
	}
}

// TestMemoryIsGivenBack empties a store in two ways.
func TestMemoryIsGivenBack(t *testing.T) {
	const keys = 50_000
	for name, empty := range map[string]func(m *Memory){
		"delete": func(m *Memory) {
			var key []byte
			for i := range uint64(keys) {
				key = benchKey(key, i)
				m.Delete(key)
			}
		},
		"reset": (*Memory).Reset,
	} {
		t.Run(name, func(t *testing.T) {
			m := filled(t, keys)
			put(t, m, []byte("large"), len(zeros))
			m.Delete([]byte("large"))
			before := m.Size()
			empty(m)
			if m.Len() != 0 || m.Size() > NewMemory().Size()+tables*minSlots*8+2*fewBytes {
				t.Errorf("%d entries and %d bytes are left of %d", m.Len(), m.Size(), before)
			}
			put(t, m, []byte("again"), 10)
			if _, ok, _ := m.Get([]byte("again")); !ok {
				t.Error("nothing can be put any more")
			}
		})
	}
}

// TestShrunkenValue holds that a small value does not stay in a large block.
func TestShrunkenValue(t *testing.T) {
	m := NewMemory()
	for _, n := range []int{len(zeros), 10} {
		put(t, m, []byte("a"), n)
	}
	if m.Size() > NewMemory().Size()+fewBytes {
		t.Errorf("%d bytes for a state of 10", m.Size())
	}
}

// TestSmallStore bounds what a partition costs that has hardly a stream.
func TestSmallStore(t *testing.T) {
	if n := NewMemory().Size(); n > 18<<10 {
		t.Errorf("an empty store has %d bytes", n)
	}
	if n := filled(t, 10).Size(); n > 24<<10 {
		t.Errorf("a store of ten entries has %d bytes", n)
	}
}

// TestSeeds holds that nobody can know which keys collide.
func TestSeeds(t *testing.T) {
	key, a, b := []byte("order-1"), NewMemory(), NewMemory()
	if a.hash(key) == b.hash(key) {
		t.Error("two stores hash alike")
	}
}

// TestGrowsInSteps holds that nothing large is allocated, and nothing large
// copied, however many entries there are.
func TestGrowsInSteps(t *testing.T) {
	m := NewMemory()
	var key []byte
	size := m.Size()
	for i := range uint64(400_000) {
		key = benchKey(key, i)
		put(t, m, key, 8)
		if i%8 > 0 {
			continue
		}
		if step := m.Size() - size; step > slabBytes+64<<10 {
			t.Fatalf("the store grew by %d bytes at entry %d", step, i)
		}
		size = m.Size()
	}
	// A slab that grew block by block would be copied a thousand times.
	if n := testing.AllocsPerRun(1, func() { filled(t, 1000) }); n > 700 {
		t.Errorf("%v allocations for 1,000 entries", n)
	}
}

// TestSizeIsWhatIsHeld compares the size with the heap, of which next to
// nothing is looked at by the collector.
func TestSizeIsWhatIsHeld(t *testing.T) {
	const keys = 200_000
	heap, scanned := collected()
	m := filled(t, keys)
	compare := func() {
		t.Helper()
		with, scannedWith := collected()
		if held := with - heap; m.Size() < held*95/100 || m.Size() > held*105/100 {
			t.Errorf("size %d, the heap grew by %d", m.Size(), held)
		}
		if n := scannedWith - scanned; n > keys {
			t.Errorf("the collector looks at %d bytes of %d entries", n, keys)
		}
	}
	compare()
	if n := m.Size() / keys; n > 200 {
		t.Errorf("%d bytes an entry of 124", n)
	}
	var key []byte
	for i := range uint64(keys * 3 / 4) {
		key = benchKey(key, i)
		m.Delete(key)
	}
	compare()
}

// collected returns how many bytes the heap has, and how many of them the
// collector looks at.
func collected() (heap, scanned int64) {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/scan/heap:bytes"}}
	runtime.GC()
	runtime.GC() // the first one may have begun before
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64()), int64(samples[1].Value.Uint64())
}

// TestSteadyStateAllocatesNothing holds it for values that stay, for those that
// change their class, and for entries that come and go.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	for _, keys := range []uint64{1, 20_000} {
		t.Run(fmt.Sprint(keys), func(t *testing.T) { steadyState(t, keys) })
	}
}

func steadyState(t *testing.T, keys uint64) {
	m := filled(t, keys)
	var key []byte
	r := rand.New(rand.NewPCG(1, 2))
	for name, change := range map[string]func(n int, e Entry){
		"stay":        func(_ int, e Entry) { m.Put(key, e) },
		"resize":      func(n int, _ Entry) { put(t, m, key, 50<<(n%4)) },
		"come and go": func(int, Entry) { m.Delete(key); put(t, m, key, 100) },
	} {
		t.Run(name, func(t *testing.T) {
			once := func() {
				for n := range 20_000 {
					key = benchKey(key, r.Uint64N(keys))
					e, _, _ := m.Get(key)
					change(n, e)
				}
			}
			once()
			once()
			if n := testing.AllocsPerRun(3, once); n > 20 {
				t.Errorf("%v allocations in 20,000 changes", n)
			}
		})
	}
}

// TestTooLarge is about an entry that no record could have brought.
func TestTooLarge(t *testing.T) {
	m := NewMemory()
	err := m.Put([]byte("order-1"), Entry{Value: make([]byte, mostBytes)})
	want := `stream "order-1": its ID and state have 1073741831 bytes, a store keeps at most 1073741824: fold less into the state`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if m.Len() != 0 {
		t.Error("it was put all the same")
	}
	if err := m.Put([]byte(strings.Repeat("k", 1<<20)), Entry{}); err != nil {
		t.Error(err)
	}
}

// TestClasses holds that each size has the class of the smallest blocks that
// hold it, and that little of them is wasted.
func TestClasses(t *testing.T) {
	if got := classFor(headerSize + mostBytes); got != classes {
		t.Errorf("the largest entry has class %d, the last one is %d", got, classes)
	}
	for class := 1; class <= classes; class++ {
		size, next := sizeOf(class), sizeOf(class+1)
		if size%8 != 0 || next <= size || next > size+8 && next > size+size/8 {
			t.Errorf("class %d has blocks of %d bytes, the next one of %d", class, size, next)
		}
		if classFor(size) != class || classFor(size+1) != class+1 {
			t.Errorf("%d bytes have class %d, one more has %d; want %d", size, classFor(size), classFor(size+1), class)
		}
	}
}
