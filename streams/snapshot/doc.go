// Package snapshot is what stands in a snapshot topic, and how to begin with it:
// load one record for each stream instead of all history, and go on with the
// events behind it, without a gap and without a duplicate.
//
// # Model
//
// A snapshot topic has as many partitions as its source. A record of it is the
// state of a stream after its event at a source offset, or says that the stream
// has ended ([Record.Gone]). A [Watermark] says that every event before an
// offset of the source is in the snapshots before it. The topic is compacted:
// of each stream the last record stays, and of the watermarks the last one.
//
// # Resync
//
// The cleaner works while a reader reads. A record that was replaced by one
// behind the end that the reader has listed may be gone before he comes to it,
// and he would miss the stream. So [Resync] reads on to a new end until a pass
// was whole: no offset of it was missing, or it took so little time that nothing
// can have been removed. A stream's last record before that end has then been
// read: it was there, or it was removed because of a later one, which would stand
// before the end, too. What says that a stream was forgotten is removed without a
// later one, after a time: within half of that the last pass begins. A deadline
// ends it with an error, never with a part.
//
// # Handover
//
// Events go on from the watermark. A snapshot may include some of them, if whoever
// wrote it did not write the watermark in the same transaction: [Filter] knows
// which, and drops them.
//
// # Failures
//
// Snapshots without a watermark, one of another topic or number of partitions, one
// that goes back, events that were deleted behind it, events that are included and
// were lost, rules that changed within the load: each is refused with the reason
// ([ErrUnusable]). A record that is none of the above is an error that names topic,
// partition and offset.
package snapshot
