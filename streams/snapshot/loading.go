package snapshot

import (
	"fmt"

	"github.com/millrace/millrace/streams"
)

// None is an offset of a [Checkpoint] that there is not.
const None = -1

// Checkpoint is how far a load of a partition is. The zero Checkpoint is not the
// beginning; [Beginning] is.
type Checkpoint struct {
	// Next is the position in the snapshot partition.
	Next int64
	// Watermark is the source offset of the last watermark, and Highest the highest
	// one that a snapshot includes: None where there was none.
	Watermark, Highest int64
}

// Beginning is the checkpoint of a load that has read nothing.
var Beginning = Checkpoint{Next: 0, Watermark: None, Highest: None}

// Covered says that every event that a snapshot includes is before the
// watermark, so that no event behind it was loaded.
func (c Checkpoint) Covered() bool { return c.Watermark > c.Highest }

// Advance moves behind the next record.
func (c *Checkpoint) Advance(s *Record) {
	c.Next = s.Next
	switch {
	case s.Watermark != nil:
		c.Watermark = s.Watermark.Next
	case !s.Forgotten:
		c.Highest = max(c.Highest, s.Offset)
	}
}

// Loading reads the records of one partition in order and refuses what does not
// belong to its source, and rules that change. Whoever owns the topic uses it
// alone; [Resync] is for all others. Not safe for concurrent use.
type Loading struct {
	Checkpoint
	// Digest is that of the fold, as the last watermark has it. Where it is set
	// before, the first one must have it, too.
	Digest string
	// First is where the log of the partition begins. One that begins behind the
	// position must begin with [BeginningKey]: compaction leaves that.
	First int64
	// Snapshots is how many records of streams were read, and Gone how many of
	// them said that their stream has ended.
	Snapshots, Gone int64

	source    Source
	partition int32
}

// NewLoading begins to read a partition at a checkpoint.
func NewLoading(s Source, partition int32, from Checkpoint) *Loading {
	return &Loading{Checkpoint: from, source: s, partition: partition}
}

// Take reads the next record.
func (l *Loading) Take(r *streams.Record) (Record, error) {
	s, err := Parse(r)
	if err != nil {
		return s, err
	}
	if l.Next < l.First && string(r.Key) != BeginningKey {
		return s, r.Errorf("%w: the partition begins at %d, so snapshots before it were deleted, by a cleanup.policy with delete or by hand; raise the version of the fold",
			ErrUnusable, l.First)
	}
	if s.Watermark != nil {
		if err := l.watermark(r, s.Watermark); err != nil {
			return s, err
		}
	} else {
		l.Snapshots++
	}
	if s.Gone {
		l.Gone++
	}
	l.Advance(&s)
	return s, nil
}

func (l *Loading) watermark(r *streams.Record, w *Watermark) error {
	if err := l.source.Check(l.partition, w); err != nil {
		return r.Errorf("%w", err)
	}
	switch {
	case l.Digest != "" && l.Digest != w.Digest:
		return r.Errorf("%w", &DigestError{Expected: l.Digest, Found: w.Digest})
	case w.Next < l.Watermark:
		return r.Errorf("%w", errBack(l.Watermark, w.Next))
	}
	l.Digest = w.Digest
	return nil
}

func errBack(from, to int64) error {
	return fmt.Errorf("%w: the watermark goes back from %d to %d, so two have written here that do not fence each other (do all compactors have one kafka.prefix?); let one write, and raise the version of the fold",
		ErrUnusable, from, to)
}

// Usable says whether events can go on from what was loaded, where the source
// partition begins at the offset first. retention is the retention.ms of the source.
func (l *Loading) Usable(first int64, retention string) error {
	switch {
	case l.Watermark == None && l.Highest != None:
		return fmt.Errorf("%w: %s/%d has snapshots but no watermark, so nobody knows which events are in them; wait for the compactor, or raise the version of the fold",
			ErrUnusable, l.source.Topic, l.partition)
	case max(l.Watermark, 0) < first:
		return fmt.Errorf("%w: they reach to offset %d of %s/%d, which begins at %d (retention.ms is %s): the events between are deleted; take the snapshots anew from a copy that has them",
			ErrUnusable, max(l.Watermark, 0), l.source.Topic, l.partition, first, retention)
	}
	return nil
}

// DigestError says that snapshots were folded by other rules than those that are
// expected: of the configuration, or of the snapshots before them.
type DigestError struct{ Expected, Found string }

// Error names both digests and the remedy.
func (e *DigestError) Error() string {
	return fmt.Sprintf("rules changed: raise version: the snapshots were folded by rules of digest %.12s, and those that are expected have %.12s", e.Found, e.Expected)
}

// Unwrap returns [ErrUnusable].
func (e *DigestError) Unwrap() error { return ErrUnusable }
