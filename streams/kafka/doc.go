// Package kafka is how Millrace reads and writes Kafka. It is the only package
// that names a Kafka client; what it hands out are [streams.Record]s.
//
// # Model
//
// An [Admin] asks and creates: topics, their settings, offsets. An [Assigner]
// tells which partitions this process owns: a consumer group ([NewGroup]) or a
// fixed list ([NewDirect]). A [Reader] fetches the partitions that are opened
// and hands out a [Feed] for each. The three know nothing of each other: the
// group never fetches and its committed offsets are never read, the reader has
// no group. Whoever owns a partition knows the position to open it at, because
// the position is kept beside the state that was computed from it. A [Session]
// writes one partition in transactions, and reads it back.
//
// # Guarantees of a feed
//
// Fetching begins at exactly the position that was opened and is always read
// committed. Every batch begins where the one before it ended: [Batch.First]
// is the [Batch.Next] before. Positions move past what is never delivered, too:
// transaction markers, aborted records, holes that compaction left. So
// a position that has reached [Batch.Stable] has seen everything that a
// read-committed reader may see.
//
// # Failures
//
// A broker that is away is waited for, without end and in silence but for one
// log line when it changes. A feed that nobody takes from stops nobody else for
// more than a second. What no waiting mends (the position is out of range, the
// log was truncated, the topic was made anew, a batch is damaged, the broker
// refuses) stops that partition at the first error: its feed closes, and
// [Feed.Err] is a [StopError] that names place, reason and remedy. The other
// partitions go on.
package kafka
