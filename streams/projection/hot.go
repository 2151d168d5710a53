package projection

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/millrace/millrace/streams"
)

// How often the view is looked at while it is building, and how long one
// listing of LSOs is compared with: younger ones are farther away.
const (
	hotTick    = 250 * time.Millisecond
	hotListing = 5 * time.Second
)

// watchHot writes the marks that make the view hot: once, when the position of
// every partition, whoever owns it, has reached the LSO that was listed before
// the comparison.
func (r *viewReader) watchHot(ctx context.Context) error {
	var listed map[streams.Partition]int64
	var at time.Time
	for {
		if err := sleep(ctx, hotTick); err != nil {
			return err
		}
		if !r.unmarked() {
			continue
		}
		if listed == nil || time.Since(at) > hotListing {
			var err error
			if listed, err = r.stables(ctx, r.view.Topics...); err != nil {
				return err
			}
			at = time.Now()
		}
		hot, err := r.compare(ctx, listed)
		if errors.Is(err, ErrWiped) {
			continue // the owners of partitions define the view anew
		}
		if err != nil {
			return err
		}
		if hot {
			r.log.Info("view is hot", "version", r.view.Version)
			listed = nil
		}
	}
}

// unmarked says whether a partition that is owned here has no mark.
func (r *viewReader) unmarked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.running {
		if !r.states[id].wasHot() {
			return true
		}
	}
	return false
}

// compare writes the marks if every position has reached what was listed, and
// takes over the marks that stand there already.
func (r *viewReader) compare(ctx context.Context, listed map[streams.Partition]int64) (hot bool, err error) {
	var stored Bookkeeping
	err = r.redis(ctx, func() error {
		stored, err = r.store.Bookkeeping(ctx)
		return err
	})
	if err != nil {
		return false, err
	}
	marks := stored.Marks
	if len(marks) < len(listed) {
		for p, stable := range listed {
			if position, ok := stored.Positions[p]; !ok || position < stable {
				return false, nil
			}
		}
		if err := r.redis(ctx, func() error { return r.store.MarkHot(ctx, listed) }); err != nil {
			return false, err
		}
		marks = listed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range maps.Keys(r.running) {
		if mark, ok := marks[id]; ok {
			r.states[id].marked(mark)
		}
	}
	return true, nil
}
