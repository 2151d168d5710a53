// Package projection runs views: it reads the events of topics, applies the
// rules of package rules to them, and keeps the rows in Redis, each event in
// them exactly once.
//
// # Model
//
// A [View] is compiled from rules and the types of its events ([CompileView]).
// A [Projector] runs views: each has one Kafka reader, one consumer group that
// does nothing but assign partitions, and one goroutine for each partition that
// is assigned. That goroutine evaluates the rules of each event, merges what
// they do into a [Fold], and hands the fold as one batch to the [Store], which
// applies it with one script. The layout in Redis is a contract: see
// docs/redis-layout.md.
//
// # A partition, from its assignment to its end
//
//	assigned ─> taking over ─┬───────────────┬─> following ─┬─> revoked
//	                 ^       └─> loading ────┘              ├─> stopped
//	                 │                                      ├─> fenced
//	                 │                                      ├─> left
//	                 └───────────────── moved <─────────────┘
//
// What can end the following, and the loading in the same ways:
//
//   - moved: the stored position is not the owner's own. What is in memory is
//     dropped, and the partition begins again from what is stored. A Redis that
//     was wiped is given the definition first.
//   - revoked: the group takes the partition, or the worker ends. What is folded
//     is written once more, within 2 s, and then nothing writes any more.
//   - stopped: no waiting mends it. The partition stands still until the worker
//     is started again.
//   - fenced: a newer owner has raised the epoch. The worker leaves the group and
//     joins it again as a new member.
//   - left: the definition in Redis is of other rules. The view ends in this
//     process.
//
// Taking over raises the epoch, reads the stored position and lists the LSO that
// makes the partition ready. Following folds what is fetched, and writes when
// the batch is full, when it is old, when the folds together are too large, and,
// so that a row is soon visible, when the stable end is reached.
//
// # Snapshots
//
// A view may begin with the snapshots of its topic (see package snapshot) instead
// of its first event. A partition that has no position yet is loaded then: each
// snapshot replaces the row of its stream, and that of a stream that has ended
// deletes it. How far the load is stands in the place of the position, so that
// whoever goes on with it knows. The load is complete when nothing of the
// snapshots can have been missed, and the last watermark is behind every event
// that they include; then the position is that of the watermark. Where there are
// no snapshots yet, that is offset 0.
//
// A load goes on only with snapshots of the topic and of the fold that it was
// begun with, and not after a pause in which Kafka may have removed what says that
// a stream was forgotten.
//
// # States
//
// They are computed from what stands in Redis, by whoever asks ([ReadStatus]),
// whether workers live or not. A partition without a mark is building; one whose
// position is below its mark is rebuilding; otherwise it is hot. The marks are
// written when every position has reached the LSO that was listed before the
// comparison. A view that is hot stays hot, however far it lags, until a
// position goes back. Building and rebuilding partitions, cold ones, are written
// in larger batches.
//
// Ready is something else: it is what a process says of itself. A partition is
// ready when it has once reached the LSO that was listed at its assignment.
//
// # Guarantees
//
//   - The rows are those of exactly the events before the stored positions. The
//     script applies a batch only if the stored position is the batch's first
//     offset, and moves it in the same step. A batch that comes a second time,
//     late, or from a worker that has lost the partition changes nothing.
//   - A batch is applied whole or not at all. Redis takes nothing back of
//     a script that fails half-way, so the script checks everything first and
//     then writes what cannot fail.
//   - That holds of snapshots, too: a row has a snapshot and the events behind it,
//     none of them twice.
//   - An event is applied whole or not at all: all of its rules are evaluated
//     before the first of them changes the fold.
//   - However the events are cut into batches and spread over workers, the same
//     bytes are in the rows: sums are exact decimals, and fields that several
//     streams write have ops that commute.
//   - Rows are never mixed from two sets of rules: the digest of the definition
//     is compared before the first batch and by every script.
//   - What a view was built from (the cluster, the topics by ID, the numbers of
//     their partitions) is recorded, and a change of it is refused.
//
// # Failures
//
// A Kafka or a Redis that is away is waited for without end: the worker is not
// ready, and one line in the log says so, another one that it is over. See
// [Waits] for what counts as away. The batch in hand is sent again, because only
// the stored position knows whether it was applied.
//
// A record that cannot be decoded or applied stops its partition: what came
// before it is written, so the stored position is that record's. So does a row
// that somebody else has written to, and a sum that leaves its range. The error
// names topic, partition and offset, or row and field. The other partitions go
// on.
//
// A Redis that has gone back in time, after a failover or from an older dump,
// has taken rows and positions back together, so the events behind them are
// applied again. Owners look for it: in every answer of the script, behind every
// new connection, and every 5 s without one. Marks and the live version that were
// lost are written again. A Redis that was wiped is a new one, and the view is built again
// from offset 0.
//
// # Concurrency
//
// Within a partition there is one batch at a time. Partitions share nothing but
// the bound of their memory. An epoch keeps a former owner from working in vain;
// what makes it harmless is the compared position, not the epoch.
package projection
