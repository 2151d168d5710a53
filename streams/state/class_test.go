package state

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// TestClass lets a class grow and shrink: blocks keep what is in them, no slab is
// too large, and memory follows the use.
func TestClass(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newClass(rapid.SampledFrom([]int{24, 160, 5120, 81920, 163840, 327680}).Draw(rt, "size"))
		full := c.size << c.shift
		for range rapid.IntRange(1, 10).Draw(rt, "changes") {
			want := rapid.SampledFrom([]uint32{0, 1, 300, 1 << c.shift, 3 << c.shift}).Draw(rt, "blocks") + rapid.Uint32Range(0, 3).Draw(rt, "more")
			for c.n < want {
				n := c.add()
				binary.LittleEndian.PutUint32(c.block(n), n)
			}
			for c.n > want {
				c.drop()
			}
			for n := range c.n {
				if got := binary.LittleEndian.Uint32(c.block(n)); got != n {
					rt.Fatalf("block %d of %d has what was written to %d", n, c.n, got)
				}
			}
			for i, slab := range c.slabs {
				if len(slab) > full || i > 0 && len(slab) < full {
					rt.Fatalf("slab %d has %d bytes, a full one has %d", i, len(slab), full)
				}
			}
			if used := int(c.n) * c.size; c.bytes() > int64(min(4*used, used+2*full)+fewBytes) {
				rt.Fatalf("%d bytes for %d", c.bytes(), used)
			}
		}
	})
}
