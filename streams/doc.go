// Package streams is the vocabulary of Millrace: what a record is, what an
// event says about itself, which types a field can have, and how values are
// handed from a decoder to a rule. It imports nothing but the standard library,
// and every other package of Millrace imports it.
//
// # Words
//
// The same words, with one meaning each, stand in the code, the YAML, the
// metrics, the command line and the documentation:
//
//   - event: an immutable fact about one stream, named in the past tense,
//     versioned in its type: FineCreated, FineCreated.v2
//   - stream: the ordered events of one aggregate in one topic; its ID is the
//     Kafka record key, fine-S38735: category, first '-', the rest
//   - topic, partition, offset: Kafka's; a stream lives whole in one partition
//   - version: of a stream, the number of an event in it, from 1; of a view,
//     the number of its definition
//   - position: the next offset to read of one topic partition
//   - LSO, last stable offset: the first offset that a read-committed reader
//     may not see yet
//   - hot: every partition's position has once reached the LSO that was listed
//     before the comparison; it stays hot until a position goes back. Before,
//     building; after going back, rebuilding; both are cold
//   - view, row, field: a read model, that is a fold of events into rows in
//     Redis; one keyed entry; one named value of it
//   - batch, fold: consecutive records of one partition that are applied in one
//     step; the reduction of a batch to few operations
//   - epoch: a number that a new owner raises, so that an old one is refused
//   - digest: the hash of what can change a result of a view
//   - lag: how far behind, in seconds by broker timestamps, and in records as
//     an upper bound (offsets in between may hold none)
//
// # Memory
//
// A [Record], an [Event] and the text of a [Slot] are views into the bytes that
// were fetched. They stay valid as long as somebody holds them, are never
// written to, and keep the whole fetched buffer alive: what outlives a batch is
// copied.
package streams
