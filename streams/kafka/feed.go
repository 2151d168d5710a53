package kafka

import (
	"sync"
	"time"

	"github.com/millrace/millrace/streams"
)

// feedBuffer is how many batches a feed holds: one being worked on leaves one
// ready, and with 256 KiB each a hundred partitions stay in reasonable memory.
const feedBuffer = 2

// Batch is what one fetch brought of one partition, or the news that positions
// have moved without records. It begins where the one before it ended.
type Batch struct {
	// Records are the data records, in order. Markers of transactions are not
	// among them, but they move Next.
	Records []streams.Record
	// First is the position before: Next of the batch before, or the position
	// that was opened.
	First int64
	// Next is the position after. Offsets between that no record has are never
	// delivered to anybody. It may equal First: then only Stable is news.
	Next int64
	// Stable is the last stable offset that came with the records or was asked
	// for. Next >= Stable means that the stable end is reached.
	Stable int64
	// FetchedAt is when the batch arrived.
	FetchedAt time.Time

	epoch int32 // of the leader that wrote what Next is behind; -1 where nobody knows
	pool  *sync.Pool
}

// Release gives the memory of Records (not of keys, values and headers) back for
// a later batch. It is optional; Records must not be used after it.
func (b *Batch) Release() {
	if b.pool == nil || b.Records == nil {
		return
	}
	records := b.Records
	b.Records = nil
	clear(records) // what is kept must not keep the fetch alive
	records = records[:0]
	b.pool.Put(&records)
}

// Feed is one partition being read. Its methods are safe for concurrent use.
type Feed struct {
	reader    *Reader
	partition streams.Partition
	batches   chan Batch

	closeOnce sync.Once
	done      chan struct{} // closed by Close

	// The rest is guarded by reader.mu.

	position int64     // Next of the last batch that was sent
	epoch    int32     // of the newest leader that wrote what position is behind; -1: unknown
	stable   int64     // the newest last stable offset that the owner knows; -1: none
	quiet    time.Time // since when nothing came and nobody asked
	overdue  int       // looks in a row that found records which had not come
	missing  int       // looks in a row that found no such topic
	fetching bool      // the position was checked, and the client fetches it
	stalled  bool      // a goroutine waits for room in batches
	ended    bool      // batches is closed, or will be once nothing is stalled
	err      error
}

// Partition returns what the feed reads.
func (f *Feed) Partition() streams.Partition { return f.partition }

// Batches returns the batches in order. While nobody takes them fetching rests.
// The channel is closed after an error, after Close, and when the reader ends;
// see Err.
func (f *Feed) Batches() <-chan Batch { return f.batches }

// Err says why Batches was closed: a [*StopError] where the partition cannot be
// read on, [ErrReaderStopped] where the reader ended first, nil after Close. It
// is nil while the feed is open.
func (f *Feed) Err() error {
	f.reader.mu.Lock()
	defer f.reader.mu.Unlock()
	return f.err
}

// Close ends the feed. It does not wait: what was sent before may still be taken
// from Batches, which is closed soon after. It may be called more than once.
func (f *Feed) Close() {
	f.closeOnce.Do(func() {
		close(f.done)
		f.reader.post(func() { f.reader.end(f, nil) })
	})
}
