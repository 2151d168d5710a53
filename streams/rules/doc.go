// Package rules is the rule language of views: which fields of which rows an
// event changes. It is written in YAML, checked against the types of the
// events, and compiled to closures.
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
// # Digest
//
// [Program.Canonical] writes the rules down in a form that does not depend on
// how the YAML was laid out, and depends on everything that can change a
// result. The digest of a view is made of it.
package rules
