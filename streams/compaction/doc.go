// Package compaction keeps snapshot topics: of each stream of an event topic the
// state that its events fold to, with the source position that it includes.
// Package snapshot says what stands there and how it is loaded.
//
// # Model
//
// A [Fold] says how an event changes the state of its stream: rules of the
// configuration, or Go code ([Typed], [Kind]). A [Compactor] runs folds. Each has
// a consumer group that assigns the partitions of its event topic, and each
// assigned partition is a goroutine: it takes the right to write the snapshot
// partition of the same number ([kafka.Session]), loads it, and goes on with the
// events behind its watermark. The states are in memory; they are rebuilt from
// the snapshot topic and never the truth.
//
// A flush writes the states that have changed, once each, and a watermark, in
// one transaction. It is due when many streams or bytes have changed, or when the
// first change is old. A partition without events writes nothing.
//
// # Guarantees
//
//   - A committed watermark and the snapshots before it are the fold of exactly
//     the events before the watermark. An owner that was replaced commits nothing
//     any more, because the next one has fenced it before it loads.
//   - A flush is committed whole or not at all. After any error of it what is in
//     memory is thrown away, and a new session loads what is committed.
//   - States of two sets of rules never stand in one partition: the digest of the
//     fold is in every watermark, and another one is refused. A partition without a
//     watermark takes any, so that partitions of one topic may have two: whoever
//     goes by one digest refuses those that have the other.
//   - A stream that has ended keeps its version, so that one that begins again
//     goes on counting.
//
// # Failures
//
// A Kafka that is away is waited for without end, and so is a transaction of
// somebody else in the snapshot partition: the compactor is not ready and says
// whose it is. A record that cannot be decoded or folded stops its partition:
// what came before it is flushed, and the error names topic, partition and
// offset. The other partitions go on. An event topic that was cut or made anew
// stops its partitions, too: what was folded and not flushed yet is thrown away.
package compaction
