package follow

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Outage waits for a Kafka or a Redis that is away, without end, and says so
// once when it goes and once when it is back. Safe for concurrent use.
type Outage struct {
	Log   *slog.Logger
	What  string           // redis, kafka
	Waits func(error) bool // whether an error means wait

	mu      sync.Mutex
	waiting int       // callers that were not answered yet
	since   time.Time // when the first of them began to wait
	err     error     // what the last of them was told first
}

// The pauses between two tries.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
)

// Retry calls do until it gives no error that means wait.
func (o *Outage) Retry(ctx context.Context, do func() error) error {
	err := do()
	if err == nil || !o.Waits(err) {
		return err
	}
	o.away(err)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		if Sleep(ctx, pause) != nil {
			o.back(false)
			return ctx.Err()
		}
		if err = do(); err == nil || !o.Waits(err) {
			o.back(true)
			return err
		}
	}
}

// away begins the waiting of one caller. What others are answered meanwhile
// does not end it: a Redis without memory answers every question and writes
// nothing.
func (o *Outage) away(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
	if o.waiting++; o.waiting == 1 {
		o.since = time.Now()
		o.Log.Warn(o.What+" does not answer; waiting for it", "error", err)
	}
}

// back ends the waiting of one caller, who was answered or gave up.
func (o *Outage) back(answered bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting--; o.waiting > 0 {
		return
	}
	if answered {
		o.Log.Info(o.What+" answers again", "after", time.Since(o.since).Round(time.Millisecond))
	}
}

// Reason says that it is away, and how that shows; empty where it is not.
func (o *Outage) Reason() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting == 0 {
		return ""
	}
	return o.What + " does not answer: " + o.err.Error()
}
