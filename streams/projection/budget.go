package projection

import "sync/atomic"

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
