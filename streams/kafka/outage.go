package kafka

import (
	"context"
	"log/slog"
)

// outage logs when something that is waited for goes and when it is back, one
// line each. It is not safe for concurrent use.
type outage struct {
	log  *slog.Logger
	what string
	// after is how many failures in a row are an outage.
	after int

	failures int
}

// report takes the outcome of a try.
func (o *outage) report(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
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
