package rules

import "github.com/millrace/millrace/streams"

// Family is a group of ops that may meet on one field of a row. A field has
// one family in all rules of a view together.
type Family uint8

// The families.
const (
	FamilySet    Family = iota + 1 // set and unset
	FamilyAdd                      // add
	FamilyMin                      // min
	FamilyMax                      // max
	FamilyLatest                   // latest: the last writer by event time
)

// Program is a compiled view. It is safe for concurrent use.
type Program struct {
	// Fields are those that the rows can have, sorted by name.
	Fields []Field
	// Events are the compiled rules by event type. A type that is not in it
	// changes nothing.
	Events map[string]*Event
	// Snapshot makes a row of a snapshot: its paths are those of the fold's state.
	// It gives one step, which deletes the row and then sets the fields that have a
	// value, by an op of their family; where the condition does not hold, nothing
	// but the delete. Nil where the view does not begin with snapshots.
	Snapshot *Event
	// Gone deletes the row of a stream that has ended. Nil as Snapshot is.
	Gone *Event

	canonical string
}

// Canonical returns the rules as text, for the digest of the view. It does not
// depend on the style of the YAML, comments, the order of keys, or how an
// expression is spaced; it depends on all that the rules say, and on the type
// and the default of each path that they read.
func (p *Program) Canonical() string { return p.canonical }

// Field is a field of the rows of a view.
type Field struct {
	Name   string
	Family Family
	// Type is that of the field's values: String, Bool, Int, Float, Decimal,
	// Time or Bytes. The result of add is Int or Decimal. Only the Kind is set:
	// decimals of any scale may meet in a field.
	Type streams.Type
	// Shared says that events of several streams write the field.
	Shared bool
}

// Meta names a value of an event that does not stand in its data. Its slot is
// that of the last path plus 1 plus the Meta.
type Meta uint8

// The values of an event outside of its data, with the type of their slot.
const (
	MetaStream      Meta = iota // string
	MetaType                    // string
	MetaVersion                 // int
	MetaTime                    // time
	MetaID                      // string
	MetaCorrelation             // string
	MetaCausation               // string
	MetaTopic                   // string
	MetaPartition               // int
	MetaOffset                  // int
	MetaCount                   // how many there are
)

// Op is the kind of a change of one field.
type Op uint8

// The ops on a field. A set of null is an Unset.
const (
	OpSet Op = iota + 1
	OpUnset
	OpAdd
	OpMin
	OpMax
	OpLatest
)

// Change is a change of one field of a row.
type Change struct {
	Field int // index in Program.Fields
	Op    Op
	Value Value
}

// Value is a value of a field's type. Its Str may be a view into the event's
// bytes or into the evaluator's scratch memory: what outlives the next Eval is
// copied.
type Value struct {
	// Slot holds every kind but a decimal. It is never null.
	Slot streams.Slot
	// Decimal holds a decimal, and every operand of an add of decimals.
	Decimal streams.Decimal
}

// Step is what one rule does to one row. Delete comes first, then the changes:
// the unsets that are written as such, then the others, among which a set of null
// is an unset, too. A field stands in a step once.
type Step struct {
	Key     string
	Delete  bool
	Changes []Change

	rule int // the index of the rule
}
