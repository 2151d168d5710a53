package follow

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Outage waits for something that is away, without end, and says so once when it
// goes and once when it is back. Safe for concurrent use.
type Outage struct {
	Log *slog.Logger
	// Away and Back say what has happened: "redis does not answer", "redis answers
	// again".
	Away, Back string
	// Waits says whether an error means wait.
	Waits func(error) bool

	mu      sync.Mutex
	waiting int       // callers that were not answered yet
	since   time.Time // when the first of them began to wait
	err     error     // what the last of them was told first
}

// Server returns an outage of a server, which is told by its name.
func Server(log *slog.Logger, name string, waits func(error) bool) Outage {
	return Outage{Log: log, Away: name + " does not answer", Back: name + " answers again", Waits: waits}
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
	o.gone(err)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		if Sleep(ctx, pause) != nil {
			o.over(false)
			return ctx.Err()
		}
		if err = do(); err == nil || !o.Waits(err) {
			o.over(true)
			return err
		}
	}
}

// gone begins the waiting of one caller. What others are answered meanwhile
// does not end it: a Redis without memory answers every question and writes
// nothing.
func (o *Outage) gone(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
	if o.waiting++; o.waiting == 1 {
		o.since = time.Now()
		o.Log.Warn(o.Away+"; waiting for it", "error", err)
	}
}

// over ends the waiting of one caller, who was answered or gave up.
func (o *Outage) over(answered bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting--; o.waiting > 0 {
		return
	}
	if answered {
		o.Log.Info(o.Back, "after", time.Since(o.since).Round(time.Millisecond))
	}
}

// Reason says that it is away, and how that shows; empty where it is not.
func (o *Outage) Reason() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting == 0 {
		return ""
	}
	return o.Away + ": " + o.err.Error()
}
