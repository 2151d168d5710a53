package projection

import "sync/atomic"

// What the fetches of a process may hold in memory together, at most: that many
// bytes of each partition of each view are in hand, in its feed, and with the
// client.
const (
	fetchMemory = 256 << 20
	fetchDepth  = 4
	mostFetched = 256 << 10 // more was measured to be no faster
	leastFetch  = 16 << 10
)

// fetchShare is how much a fetch brings of one partition, where a process has so
// many views and owns so many partitions of each.
func fetchShare(views, partitions int) int32 {
	all := max(1, views) * max(1, partitions) * fetchDepth
	return int32(min(mostFetched, max(leastFetch, fetchMemory/all)))
}

// budget bounds the memory of all folds of a process together.
type budget struct {
	used  atomic.Int64
	limit int64
}

// share is what one partition uses of a budget. Only its owner calls it.
type share struct {
	of   *budget
	mine int64
}

// set says how much the owner uses now.
func (s *share) set(n int64) {
	s.of.used.Add(n - s.mine)
	s.mine = n
}

// exhausted says that all shares together use more than the limit.
func (s *share) exhausted() bool { return s.of.used.Load() > s.of.limit }
