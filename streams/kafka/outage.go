package kafka

import (
	"context"
	"log/slog"
	"sync"
)

// outage logs when something that is waited for goes and when it is back, one
// line each. It is safe for concurrent use.
type outage struct {
	log  *slog.Logger
	what string
	// after is how many failures in a row are an outage.
	after int

	mu       sync.Mutex
	failures int
	err      error // of the last failure
}

// report takes the outcome of a try.
func (o *outage) report(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
	if err == nil {
		if o.failures >= o.after {
			o.log.InfoContext(ctx, o.what+": over")
		}
		o.failures = 0
		return
	}
	if o.failures++; o.failures == o.after {
		o.log.WarnContext(ctx, o.what+": waiting", "error", err)
	}
}

// reason says what is waited for, and how that shows; empty where nothing is.
func (o *outage) reason() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures < o.after {
		return ""
	}
	return o.what + ": " + o.err.Error()
}
