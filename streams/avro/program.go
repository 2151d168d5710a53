package avro

import "github.com/millrace/millrace/streams"

// op is what a step does. The order is that of the groups: skipping, reading
// into a slot, and choosing the next step.
type op uint8

const (
	opSkipLong  op = iota // n longs
	opSkipInt             // n ints
	opSkipBytes           // n strings or bytes
	opSkipFixed           // n bytes
	opSkipBool            // n booleans
	opSkipEnum            // one of n symbols

	opLong
	opInt
	opLongToFloat // n is 32 where the reader's type is float
	opIntToFloat  // the same
	opFloat
	opDouble
	opBool
	opString       // text, checked to be UTF-8
	opBytes        // bytes, not checked
	opFixed        // n bytes
	opEnum         // a symbol of table n
	opDecimal      // a coefficient with its length before it
	opDecimalFixed // a coefficient of n bytes
	opUUID         // 16 bytes, which become text
	opInstant      // a long, of units n
	opIntInstant   // an int, of units n
	opConst        // nothing is read: the slot becomes constant n

	opUnion  // a branch: go on at jumps[n+1+branch], of jumps[n] branches
	opJump   // go on at n
	opBlocks // an array or a map: the steps of an item are those before n
	opCall   // subprogram n, of a type within itself
	opFail   // the branch cannot be read: reason n

	lastSkip = opSkipEnum
	lastRead = opConst
)

// joins says whether neighbours of the op are one step.
func (o op) joins() bool { return o <= opSkipBool }

// step is 8 bytes, so that a program is a few cache lines. What may be more than
// 65,535 does not stand in slot.
type step struct {
	op   op
	slot uint16
	n    int32
}

// program reads values of one writer schema into the slots of some paths. It is
// immutable and safe for concurrent use.
type program struct {
	steps   []step
	jumps   []int32 // of unions: how many branches, then the step of each
	subs    [][]step
	symbols [][]string // of enums, in the writer's order; "" for one that the reader lacks
	consts  []streams.Slot
	units   []int64
	reasons []error
}
