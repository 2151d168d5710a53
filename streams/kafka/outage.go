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

	failures int
}

// patience is how many failures in a row are an outage. One is a leader that
// moves.
const patience = 2

// report takes the outcome of a try.
func (o *outage) report(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		if o.failures >= patience {
			o.log.InfoContext(ctx, o.what+": it does again")
		}
		o.failures = 0
		return
	}
	if o.failures++; o.failures == patience {
		o.log.WarnContext(ctx, o.what+": waiting", "error", err)
	}
}
