package compaction

import (
	"cmp"
	"sync"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/kafka"
)

// Progress is how far one partition of a fold is, as its owner sees it.
type Progress struct {
	Fold      string
	Version   int
	Partition streams.Partition // of the event topic
	// Loaded and LoadEnd are positions in the snapshot partition while it is loaded.
	Loaded, LoadEnd int64
	// Watermark is the source offset that is committed, Position the next event to
	// fold, Stable the first one that a read-committed reader may not see yet.
	Watermark, Position, Stable int64
	// Rate is source offsets per second, lately.
	Rate float64
	// Behind is the age of the last folded record where more are waiting; 0 at the
	// stable end.
	Behind time.Duration
	// Live and Gone are how many streams are known, and StateBytes what their
	// states take in memory.
	Live, Gone, StateBytes int64
	// NotReady says why the partition is not ready; empty where it is.
	NotReady string
	// Err is why the partition stopped; nil where it did not.
	Err error
}

// Remaining estimates the time until the position reaches the stable end; 0
// where it is there or nothing is known yet.
func (p Progress) Remaining() time.Duration {
	return follow.Remaining(p.Position, p.Stable, p.Rate)
}

// Ratio is the position as a share of the stable end: 1 where it is reached.
func (p Progress) Ratio() float64 { return follow.Share(p.Position, p.Stable) }

// partitionState is what others may see of a partition while its owner works.
// Safe for concurrent use.
type partitionState struct {
	mu    sync.Mutex
	p     Progress
	aim   int64 // the LSO at the assignment, which makes it ready
	stamp time.Time
	since time.Time
	pace  follow.Pace
}

func newPartitionState(f *Fold, p streams.Partition) *partitionState {
	return &partitionState{
		p:     Progress{Fold: f.Name, Version: f.Version, Partition: p, NotReady: "not loaded yet"},
		since: time.Now(),
	}
}

// change changes what is seen.
func (s *partitionState) change(fn func(p *Progress)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn(&s.p)
}

// loaded begins to follow the events at a position, with the LSO that makes the
// partition ready.
func (s *partitionState) loaded(position, stable int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.p.Watermark, s.p.Position, s.aim, s.p.Stable = position, position, stable, stable
	s.p.NotReady, s.stamp = "not yet at the stable end of its assignment", time.Time{}
	s.pace.Begin(position, time.Now())
	s.arriveLocked()
}

// fetched takes what the reader says of the end.
func (s *partitionState) fetched(b *kafka.Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p.Position >= s.p.Stable {
		s.pace.Begin(s.p.Position, b.FetchedAt) // there was nothing to do
	}
	s.p.Stable = b.Stable
	if s.stamp.IsZero() && len(b.Records) > 0 {
		s.stamp = b.Records[0].Timestamp
	}
}

// folded says that what is before the position is in the states.
func (s *partitionState) folded(position int64, stamp time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.p.Position = position
	s.pace.Move(position, time.Now())
	if !stamp.IsZero() {
		s.stamp = stamp
	}
	s.arriveLocked()
}

func (s *partitionState) arriveLocked() {
	if s.p.Position >= s.aim && s.p.Err == nil {
		s.p.NotReady = ""
	}
}

func (s *partitionState) notReady(reason string) {
	s.change(func(p *Progress) { p.NotReady = reason })
}

func (s *partitionState) stopped(err error) {
	s.change(func(p *Progress) { p.NotReady, p.Err = err.Error(), err })
}

// progress returns what is seen now.
func (s *partitionState) progress(now time.Time) Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.p
	p.Rate = s.pace.Rate(p.Position, now)
	if p.Position < p.Stable {
		p.Behind = max(0, now.Sub(cmp.Or(s.stamp, s.since)))
	}
	return p
}
