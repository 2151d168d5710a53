package follow

import (
	"context"
	"errors"
	"log/slog"
	"slices"
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

// Parts are those that a worker has listed so far. Safe for concurrent use; the zero
// value is empty.
type Parts[T any] struct {
	mu  sync.Mutex
	all []T
}

// Add lists one more.
func (p *Parts[T]) Add(part T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, part)
}

// All returns them in the order in which they were listed.
func (p *Parts[T]) All() []T {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.all)
}

// Gather returns what each of the parts says, one after the other.
func Gather[T, R any](parts []T, of func(T) []R) (all []R) {
	for _, part := range parts {
		all = append(all, of(part)...)
	}
	return all
}

// Groups makes sources of assignments that are consumer groups.
func Groups(cfg kafka.Config, log *slog.Logger) func(group string, topics []string) kafka.Assigner {
	return func(group string, topics []string) kafka.Assigner {
		return kafka.NewGroup(cfg, kafka.GroupOptions{Group: group, Topics: topics, Logger: log})
	}
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
