// Package importer writes a file of events into a topic: JSON lines of the form
//
//	{"stream":"fine-S38735","version":1,"type":"FineCreated","time":"2000-01-01T00:00:00+01:00","data":{…}}
//
// each becomes one event, keyed by its stream, in the order of the file.
//
// # Model
//
// One reader parses the lines and hands each to the worker of its partition.
// A worker holds the session of its partition, which fences every other import
// of it, and a ledger: the highest version of each stream that the partition
// holds, learned from all of its records. It writes in transactions of up to
// 5,000 events or 8 MiB.
//
// # Guarantees
//
// A line is written only if its version is the highest of its stream in the
// topic + 1. So a line is never written twice, whatever was broken off before,
// and what is missing follows in order:
//
//   - a version that the topic has is skipped and counted as present;
//   - a line that does not parse, does not fit its schema or leaves a gap is
//     reported with file:line and reason, and the later lines of its stream are
//     held back; the other streams go on;
//   - a line that does not even tell its stream holds nothing back at once: the
//     gap that it leaves does;
//   - a run with the mended file completes everything.
//
// An event's ID is computed from topic, stream and version, so it is the same
// in every run.
//
// # Failures
//
// A broker that goes away is waited for, with one line in the log. After an
// error in a transaction nobody knows whether it was committed: the worker
// throws away what it knows, opens a new session, loads the partition again and
// writes what is not there. A topic that was deleted is not waited for. Where
// another import has taken a partition over, this one stops at once; the other
// one completes. Where two begin at the same moment, each may take some
// partitions from the other: both stop, nothing is lost, and the next run
// completes.
//
// Events before the first offset of a partition would be written again, because
// their versions cannot be known any more: a partition whose beginning was
// deleted is refused.
//
// # Memory
//
// About 100 bytes for each stream of the topic, and at most 200 MB for lines
// and events on their way.
package importer
