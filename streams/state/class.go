package state

import "math/bits"

const (
	slabBytes = 256 << 10 // a slab is not larger, unless one block is
	fewBytes  = 2 << 10   // not worth giving back
)

// class holds the blocks of one size, numbered from 0 and without holes.
type class struct {
	size  int      // of a block
	shift int      // a full slab has 1<<shift blocks
	slabs [][]byte // all but the first one are full; that one has a power of two of blocks
	n     uint32   // blocks in use
}

func newClass(size int) class {
	return class{size: size, shift: bits.Len(uint(max(1, slabBytes/size))) - 1}
}

// block returns a block by its number.
func (c *class) block(number uint32) []byte {
	at := int(number&(1<<c.shift-1)) * c.size
	return c.slabs[number>>c.shift][at : at+c.size : at+c.size]
}

// add takes the next block into use and returns its number.
func (c *class) add() uint32 {
	full := c.size << c.shift
	switch slab := int(c.n >> c.shift); {
	case len(c.slabs) == 0:
		c.slabs = append(c.slabs, make([]byte, c.size))
	case slab == len(c.slabs):
		c.slabs = append(c.slabs, make([]byte, full))
	case slab == 0 && int(c.n)*c.size == len(c.slabs[0]):
		c.resizeFirst(2 * len(c.slabs[0]))
	}
	c.n++
	return c.n - 1
}

// drop gives up the last block, and memory where far more is held than used: the
// last slab when half of the one before it is free, too; of an only slab what is
// beyond twice the use when three quarters are free.
func (c *class) drop() {
	c.n--
	used, full, last := int(c.n)*c.size, c.size<<c.shift, len(c.slabs)-1
	if last > 0 && used+full/2 <= last*full {
		c.slabs[last] = nil
		c.slabs = c.slabs[:last]
		last--
	}
	if last == 0 && len(c.slabs[0]) > fewBytes && used <= len(c.slabs[0])/4 {
		c.resizeFirst(2 * used)
	}
}

// resizeFirst copies the first slab to one of another size.
func (c *class) resizeFirst(size int) {
	if size == 0 {
		c.slabs = nil
		return
	}
	slab := make([]byte, size)
	copy(slab, c.slabs[0])
	c.slabs[0] = slab
}

// bytes is what the class holds.
func (c *class) bytes() int64 {
	if len(c.slabs) == 0 {
		return 0
	}
	const header = 24 // of a slice
	return int64(len(c.slabs[0])+(len(c.slabs)-1)*c.size<<c.shift) + header*int64(cap(c.slabs))
}
