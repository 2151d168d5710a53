package projection

import (
	"cmp"
	"sync"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
)

// partitionState is what others may see of a partition while its owner works.
// It outlives one assignment, so that the next one knows whether a position
// went back. Safe for concurrent use.
type partitionState struct {
	id streams.Partition

	mu     sync.Mutex
	owned  bool
	stored Stored // what Redis confirmed last; its position is Absent before it ever did
	stable int64  // the last LSO that was seen
	aim    int64  // the LSO at the assignment, which makes it ready
	ready  bool
	reason string             // why it is not ready
	err    error              // why it stopped
	stamp  time.Time          // broker timestamp of the last record that was applied, or of the first that waits
	since  time.Time          // when this assignment began
	load   *snapshot.Progress // nil where no snapshots are loaded
	pace   follow.Pace
}

func newPartitionState(id streams.Partition) *partitionState {
	return &partitionState{id: id, stored: Stored{At(Absent), Absent}}
}

// Progress is how far one partition of a view is, as its owner sees it.
type Progress struct {
	View      string
	Version   int
	Partition streams.Partition
	// Position and Stable are offsets: of the next event to apply, 0 while snapshots
	// are loaded, and of the first one that a read-committed reader may not see yet.
	Position, Stable int64
	// Load is how far the load of the snapshots is; nil where there is none.
	Load *snapshot.Progress
	// Rate is offsets per second, lately.
	Rate float64
	// Behind is the age of the last applied record where more are waiting. Before
	// one was applied it is the age of the first that waits, and before that was
	// fetched the time since the assignment. 0 at the stable end.
	Behind time.Duration
	// Hot says that the position has once reached the mark.
	Hot bool
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

// last returns what Redis had confirmed last.
func (s *partitionState) last() Stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stored
}

// lost returns the mark that must stand in Redis but does not, because Redis
// went back in time: behind the mark, or behind the position of a partition that
// was hot. [Absent] where nothing is lost.
func (before Stored) lost(now Stored) int64 {
	mark := max(before.Mark, now.Mark)
	if mark != Absent && now.Position.before(before.Position) {
		mark = max(mark, before.Position.Offset)
	}
	if mark <= now.Mark {
		return Absent
	}
	return mark
}

// taken begins an assignment.
func (s *partitionState) taken(stored Stored) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owned, s.stored = true, stored
	s.since, s.stamp = now, time.Time{}
	s.pace.Begin(stored.Position.Offset, now)
	s.ready, s.reason, s.err, s.load = false, notYet, nil, nil
	if stored.Position.Loading() {
		s.reason, s.load = "loading snapshots", &snapshot.Progress{Position: stored.Position.Load.Next}
	}
}

const notYet = "not yet at the stable end of its assignment"

// toLoad says that the partition loads snapshots, or may begin to.
func (s *partitionState) toLoad() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err == nil && (!s.owned || s.load != nil)
}

// loaded ends a load.
func (s *partitionState) loaded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load = nil
	s.pace.Begin(s.stored.Position.Offset, time.Now())
	if !s.ready && s.err == nil {
		s.reason = notYet
	}
}

// loading says how far the load of snapshots is.
func (s *partitionState) loading(p snapshot.Progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.load != nil {
		s.load = &p
	}
}

// released keeps what must be known at the next assignment to this process:
// another owner may move the position meanwhile, forward, but never back.
func (s *partitionState) released() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owned = false
}

// target sets the LSO that makes the partition ready.
func (s *partitionState) target(stable int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aim, s.stable = stable, max(s.stable, stable)
	s.arriveLocked()
}

func (s *partitionState) fetched(b *kafka.Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stored.Position.Offset >= s.stable {
		s.pace.Begin(s.stored.Position.Offset, b.FetchedAt) // there was nothing to do
	}
	s.stable = b.Stable
	if s.stamp.IsZero() && len(b.Records) > 0 {
		s.stamp = b.Records[0].Timestamp
	}
}

func (s *partitionState) applied(position Position, stamp time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stored.Position = position
	s.pace.Move(position.Offset, time.Now())
	if !stamp.IsZero() {
		s.stamp = stamp
	}
	s.arriveLocked()
}

func (s *partitionState) arriveLocked() {
	if s.stored.Position.Offset >= s.aim && s.err == nil {
		s.ready, s.reason = true, ""
	}
}

// marked says that a mark stands in Redis.
func (s *partitionState) marked(mark int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stored.Mark = max(s.stored.Mark, mark)
}

// cold says that the partition is building or rebuilding, and has not stopped.
func (s *partitionState) cold() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.coldLocked() && s.err == nil
}

func (s *partitionState) coldLocked() bool {
	return s.stored.Mark == Absent || s.stored.Position.Offset < s.stored.Mark
}

func (s *partitionState) notReady(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready, s.reason = false, reason
}

func (s *partitionState) stopped(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready, s.reason, s.err = false, err.Error(), err
}

// progress returns what is known; false where the partition is not owned.
func (s *partitionState) progress(now time.Time) (Progress, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := Progress{
		Partition: s.id, Position: max(0, s.stored.Position.Offset), Stable: s.stable, Load: s.load,
		Rate: s.pace.Rate(s.stored.Position.Offset, now), Hot: !s.coldLocked(), NotReady: s.reason, Err: s.err,
	}
	if p.Position < p.Stable {
		p.Behind = max(0, now.Sub(cmp.Or(s.stamp, s.since)))
	}
	return p, s.owned
}

// byPartition orders progress by topic, then partition.
func byPartition(a, b Progress) int {
	return cmp.Or(cmp.Compare(a.Partition.Topic, b.Partition.Topic), cmp.Compare(a.Partition.Partition, b.Partition.Partition))
}

// Ratio is the position as a share of the stable end: 1 where it is reached.
func (p Progress) Ratio() float64 { return follow.Share(p.Position, p.Stable) }
