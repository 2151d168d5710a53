// Package state keeps what was folded of streams: one [Entry] for each stream
// ID, in a [Store].
//
// # Model
//
// A store is never the truth. It belongs to one partition of a topic and to the
// one goroutine that folds it, is rebuilt from the log, and may be thrown away
// at any time.
//
// # In memory
//
// [Memory] is made for millions of streams beside a garbage collector. Nothing
// in an entry is a pointer, so a collection looks at one pointer for some hundred
// kilobytes of entries.
//
//	     hash of the key
//	 8 bits        24 bits
//	    │             │
//	    v             v
//	256 tables of slots            201 classes of blocks
//	┌──────────────────────┐       ┌───────────────────────┐
//	│ class │ number │ tag ├──────>│ header │ key │ value  │
//	└──────────────────────┘       └───────────────────────┘
//
// What holds it together:
//
//   - A block is one entry as bytes. A class holds the blocks of one size, in
//     slabs. Sizes are an eighth apart, or 8 bytes.
//   - A class has no holes: where a block is given up, the last one of its class
//     takes its place, and its slot is corrected. So there are no free lists, and
//     nothing is lost to sizes that are out of use.
//   - A value is written over its predecessor as long as it fits the block and
//     needs more than three quarters of it. Otherwise the entry moves to another
//     class.
//   - A slot is one word: where the block is, and 24 bits of the hash. Tables grow
//     and shrink one by one and without a look at the blocks, so a store never
//     stands still to be copied, and never holds two of itself.
//   - The hash has a seed of its own in each store: nobody can choose stream IDs
//     that collide.
//
// Tables, and the first slab of a class, begin small: an empty store takes 18
// KiB, and one with few entries little more. What is not needed any more goes
// back to the garbage collector, except for what the next entries would ask for
// again.
package state
