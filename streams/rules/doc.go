// Package rules is the rule language of views and of folds: which fields of which
// rows an event changes, and which fields of the state of its stream. It is
// written in YAML, checked against the types of the events, and compiled to
// closures.
//
// # Model
//
// A view ([View], made by [Parse]) says for each event type which rules apply.
// A rule has an optional condition, a row key, and ops on fields of that row.
// [View.Compile] checks all of it against the schemas and returns a [Program]:
// the fields of a row with their types, and for each event type the paths of
// its data that the rules read. At run time an [Evaluator] turns the values of
// one event, handed over in slots, into steps: changes of rows.
//
// The package knows neither Avro nor Kafka nor Redis. It takes types as
// [streams.Type] and values as [streams.Slot], and says what would have to
// change; who stores rows decides how.
//
// # Guarantees
//
//   - Everything that can be known before the first event is said by Parse and
//     Compile: unknown names, wrong types, values that can be null where they
//     must not be, fields that two streams would write in an order that nobody
//     defines. All problems are returned at once, each with line and column.
//   - An event is evaluated as a whole: [Evaluator.Eval] returns all its steps
//     or an error, so that an event is in a view or is not.
//   - Expressions are pure and end soon. They have no loops and no clock, and at
//     most [MaxNodes] parts.
//   - Arithmetic is exact or fails: ints do not wrap, decimals do not round,
//     floats are never NaN or infinite. A number that does not fit is an error
//     of the record.
//   - Evaluation does not allocate once its scratch memory has grown, but for
//     decimals beyond 64 bits and for div and round.
//
// # Expressions
//
// A scalar that begins with = is an expression; == begins a literal =. The
// parser is that of expr-lang/expr; types, nullability and code are ours. What
// is not in the tables of [Functions] and [Operators] is refused.
//
// # Ownership
//
// Events of one stream are in order; events of two streams are not. So a field
// that only one stream of one topic writes is owned, and may be set; every other
// field is shared, and only ops that commute may write it: add, min, max and
// latest. Compile proves from the row keys which of both a field is.
//
// # Folds
//
// A fold ([Fold], made by [ParseFold]) adds the events of each stream up to a state:
// a record whose scalar fields the rules write and, as state.…, read. All rules of
// an event see the state as it was before it. A stream may begin with any event, so
// a field that is written is nullable or has a default; what is absent is null or
// the default. There is one writer, and events come in order, so that there is
// neither ownership nor a family of ops.
//
// A stream ends where gone holds after an event. It never holds of a state that
// nothing was written to, so that only an event that writes what gone reads can end
// a stream: what views from snapshots rely on.
//
// # Views from snapshots
//
// A view may begin with the states of the streams. Its rule of snapshot makes the
// row of a state, [Program.Snapshot]; where a stream has ended, [Program.Gone]
// deletes it. The rows must be those of a replay, so Compile demands that each field
// that events write is in the state, that all rules have the row key of snapshot,
// and that each event that may end a stream deletes its row. What it cannot see: a
// field of the state that has a default is never absent, and stands in rows from
// snapshots where a replay has not written it yet (make it nullable); and a schema
// may keep an instant without the offset that it was written with (fold
// string(time)).
//
// # Digest
//
// [Program.Canonical] and [FoldProgram.Canonical] write the rules down in a form
// that does not depend on how the YAML was laid out, and depends on everything that
// can change a result. The digest of a view, or of a fold, is made of it.
package rules
