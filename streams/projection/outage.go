package projection

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// outage waits for a Kafka or a Redis that is away, without end, and says so
// once when it goes and once when it is back. Safe for concurrent use.
type outage struct {
	log   *slog.Logger
	what  string
	waits func(error) bool // whether an error means wait

	mu    sync.Mutex
	since time.Time
}

// The pauses between two tries.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
)

// retry calls do until it gives no error that means wait.
func (o *outage) retry(ctx context.Context, do func() error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := do()
		if err == nil || !o.waits(err) {
			o.back()
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o.away(err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (o *outage) away(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		o.since = time.Now()
		o.log.Warn(o.what+" does not answer; waiting for it", keyError, err)
	}
}

func (o *outage) back() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.since.IsZero() {
		o.log.Info(o.what+" answers again", "after", time.Since(o.since).Round(time.Millisecond))
		o.since = time.Time{}
	}
}

// reason says that it is away; empty where it is not.
func (o *outage) reason() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		return ""
	}
	return o.what + " does not answer"
}
