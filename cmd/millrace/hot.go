package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/internal/progress"
	"github.com/millrace/millrace/streams/compaction"
	"github.com/millrace/millrace/streams/projection"
)

// runWorkers runs the workers of a configuration until ctx ends, with progress
// while they are cold. whenHot is called once, when all of them are hot; its error
// ends the run.
func runWorkers(ctx context.Context, s *shell, w *whole, whenHot func(context.Context) error) error {
	// what a production cluster is warned of is how this one is made
	display := progress.New(s.err)
	log := slog.New(slog.NewTextHandler(display, &slog.HandlerOptions{Level: slog.LevelError}))
	work, ctx := errgroup.WithContext(ctx)
	var bars []func(*progress.Display) bool
	if len(w.Views) > 0 {
		projector, closeRedis, err := w.New(projection.Options{Logger: log})
		if err != nil {
			return err
		}
		work.Go(func() error { return errors.Join(projector.Run(ctx), closeRedis()) })
		bars = append(bars, func(d *progress.Display) bool { return showViews(d, w.Views, projector.Progress()) })
	}
	if len(w.compactor.Folds) > 0 {
		compactor, err := w.compactor.New(compaction.Options{Logger: log})
		if err != nil {
			return err
		}
		work.Go(func() error { return compactor.Run(ctx) })
		bars = append(bars, func(d *progress.Display) bool { return showFolds(d, w.compactor.Folds, compactor.Progress()) })
	}
	work.Go(func() error {
		hot := drawUntilHot(ctx, display, bars)
		display.Close()
		if !hot {
			return nil // ctx ended before
		}
		return whenHot(ctx)
	})
	return work.Wait()
}

// drawUntilHot draws bars until all that they are of is hot, or until ctx ends.
func drawUntilHot(ctx context.Context, display *progress.Display, bars []func(*progress.Display) bool) bool {
	for {
		hot := true
		for _, draw := range bars {
			hot = draw(display) && hot
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

// showViews shows how far the views are, and says whether all of them are hot.
func showViews(display *progress.Display, views []*projection.View, all []projection.Progress) bool {
	hot := true
	for _, v := range views {
		p := progressOf(v.Name, all)
		p.show(display, v.Name)
		hot = hot && p.hot
	}
	return hot
}

// showFolds shows how far the snapshots of folds are, and says whether all of them
// have caught up.
func showFolds(display *progress.Display, folds []*compaction.Fold, all []compaction.Progress) bool {
	hot := true
	for _, f := range folds {
		p := foldProgress(f.Name, all)
		p.show(display, "snapshots of "+f.Name)
		hot = hot && p.hot
	}
	return hot
}

// foldProgress is how far the partitions of a fold are together: what is to be
// loaded, and the events behind that.
func foldProgress(fold string, all []compaction.Progress) viewProgress {
	var v viewProgress
	partitions, ready := 0, 0
	for _, p := range all {
		if p.Fold != fold {
			continue
		}
		partitions++
		if p.NotReady == "" {
			ready++
		}
		v.done += p.Loaded + p.Position
		v.total += p.LoadEnd + p.Stable
		v.rate += p.Rate
		v.err = cmp.Or(v.err, p.Err)
	}
	v.hot = partitions > 0 && ready == partitions
	return v
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
		if p.Load != nil {
			v.done += p.Load.Position
			v.total += p.Load.End
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
