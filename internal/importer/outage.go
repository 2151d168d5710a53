package importer

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/millrace/millrace/streams"
)

// slow is how long a transaction may take before somebody is told.
const slow = 5 * time.Second

var errSlow = errors.New("a transaction is not answered")

// outage tells in one line when the first partition begins to wait for Kafka,
// and in one when the last one goes on. It is safe for concurrent use.
type outage struct {
	logger  *slog.Logger
	mu      sync.Mutex
	waiting map[streams.Partition]bool // guarded by mu
}

func (o *outage) begin(p streams.Partition, reason error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.beginLocked(p, reason)
}

func (o *outage) beginLocked(p streams.Partition, reason error) {
	if len(o.waiting) == 0 {
		o.logger.Warn("waiting for Kafka; the import goes on when it answers", "partition", p.String(), "error", reason)
		o.waiting = map[streams.Partition]bool{}
	}
	o.waiting[p] = true
}

func (o *outage) end(p streams.Partition) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.endLocked(p)
}

func (o *outage) endLocked(p streams.Partition) {
	if !o.waiting[p] {
		return
	}
	if delete(o.waiting, p); len(o.waiting) == 0 {
		o.logger.Info("Kafka answers again")
	}
}

// watch begins to wait when the function that it returns is not called for some
// seconds. That one ends the waiting, unless it is given an error.
func (o *outage) watch(p streams.Partition) func(error) {
	answered := false // guarded by mu
	t := time.AfterFunc(slow, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		if !answered {
			o.beginLocked(p, errSlow)
		}
	})
	return func(err error) {
		t.Stop()
		o.mu.Lock()
		defer o.mu.Unlock()
		answered = true
		if err == nil {
			o.endLocked(p)
		}
	}
}
