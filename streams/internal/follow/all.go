package follow

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/millrace/millrace/streams/kafka"
)

// All runs every part until ctx ends, which is no error. A part that cannot go on
// leaves the others running; stopped is told of it. All returns when none is left.
func All[T any](ctx context.Context, parts []T, run func(context.Context, T) error, stopped func(T, error)) error {
	var running sync.WaitGroup
	failed := make([]error, len(parts))
	for i, part := range parts {
		running.Go(func() {
			if failed[i] = Ended(ctx, run(ctx, part)); failed[i] != nil {
				stopped(part, failed[i])
			}
		})
	}
	running.Wait()
	return errors.Join(failed...)
}

// Ended is nil where it was ctx that ended the work.
func Ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the end that was asked for is no error
	}
	return err
}

// CheckTopics refuses event topics that lose events, and logs what else is to be
// known of them. A Kafka that is away is waited for.
func CheckTopics(ctx context.Context, log *slog.Logger, admin *kafka.Admin, o kafka.CheckOptions) error {
	away := Server(log, "kafka", kafka.Waits)
	return away.Retry(ctx, func() error {
		warnings, err := kafka.CheckTopics(ctx, admin, o)
		for _, w := range warnings {
			log.Warn(w)
		}
		return err
	})
}
