// Package fines is the oracle of the fines example: it computes the rows of the
// three views of examples/fines/fines.yaml straight from the JSON lines, by the
// standard library alone. It shares no code with what it checks: neither types
// nor decimals nor the text of a value.
//
// [Open] finds the log, [Read] walks over it, [Expect] computes the rows, and
// [Diff] compares them, byte for byte, with what a store holds. An [Oracle] tells
// the rows of fines between any two events. [Repeat] writes the log several times under
// other stream IDs, for runs that must take longer.
package fines
