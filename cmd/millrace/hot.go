package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/progress"
	"github.com/millrace/millrace/streams/projection"
)

// runViews runs the views until ctx ends, with progress while they are cold.
// whenHot is called once, when all of them are hot; its error ends the run.
func runViews(ctx context.Context, s *shell, p *compose.Projector, whenHot func(context.Context) error) error {
	// what a production cluster is warned of is how this one is made
	display := progress.New(s.err)
	log := slog.New(slog.NewTextHandler(display, &slog.HandlerOptions{Level: slog.LevelError}))
	projector, closeRedis, err := p.New(projection.Options{Logger: log})
	if err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return projector.Run(ctx) })
	work.Go(func() error {
		hot := showViews(ctx, display, p.Views, projector)
		display.Close()
		if !hot {
			return nil // ctx ended before
		}
		return whenHot(ctx)
	})
	return errors.Join(work.Wait(), closeRedis())
}

// showViews shows how far the views are until all of them are hot, or until ctx
// ends.
func showViews(ctx context.Context, display *progress.Display, views []*projection.View, projector *projection.Projector) bool {
	for {
		hot := true
		for _, v := range views {
			p := progressOf(v.Name, projector.Progress())
			if p.show(display, v.Name); !p.hot {
				hot = false
			}
		}
		if hot {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// viewProgress is how far the partitions of a view are together.
type viewProgress struct {
	done, total int64
	rate        float64
	hot         bool
	err         error // why a partition stopped
}

func progressOf(view string, all []projection.Progress) viewProgress {
	var v viewProgress
	partitions, hot := 0, 0
	for _, p := range all {
		if p.View != view {
			continue
		}
		partitions++
		if p.Hot {
			hot++
		}
		v.done += p.Position
		v.total += p.Stable
		v.rate += p.Rate
		v.err = cmp.Or(v.err, p.Err)
	}
	v.hot = partitions > 0 && hot == partitions
	return v
}

// show draws the bar of the view. It is full when the view is hot, not before.
func (v viewProgress) show(display *progress.Display, name string) {
	switch {
	case v.hot:
		display.Set(name, 1, 1, "hot")
	case v.total > 0:
		display.Set(name, min(v.done, v.total-1), v.total, v.note())
	}
}

func (v viewProgress) note() string {
	if v.err != nil {
		return "stopped: " + v.err.Error()
	}
	note := fmt.Sprintf("%d of %d", v.done, v.total)
	if v.rate > 0 {
		left := time.Duration(float64(max(0, v.total-v.done)) / v.rate * float64(time.Second))
		note += fmt.Sprintf(", %.0f/s, %s left", v.rate, left.Round(time.Second))
	}
	return note
}
