package projection

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
)

// How often the view is looked at while it is building, and how long one
// listing of LSOs is compared with: younger ones are farther away. When it is
// hot it is looked at as often as the LSOs were listed.
const (
	hotTick    = 250 * time.Millisecond
	hotListing = 5 * time.Second
)

// watchHot writes the marks that make the view hot: once, when the position of
// every partition, whoever owns it, has reached the LSO that was listed before
// the comparison. It goes on looking: a Redis that went back in time may have
// lost marks, or the live version.
func (r *viewReader) watchHot(ctx context.Context) error {
	var listed listing
	var looked time.Time
	for {
		if err := sleep(ctx, hotTick); err != nil {
			return err
		}
		building := r.unmarked()
		if !building && time.Since(looked) < hotListing {
			continue
		}
		looked = time.Now()
		err := r.look(ctx, building, &listed)
		switch {
		case errors.Is(err, ErrWiped): // owners of partitions define the view anew
		case errors.Is(err, kafka.ErrNoTopic): // its partitions say so and stop, the others go on
		case err != nil:
			return err
		}
	}
}

// listing is the LSOs of the view's topics at a time.
type listing struct {
	stable map[streams.Partition]int64
	at     time.Time
}

// look writes what is missing of a view that is hot.
func (r *viewReader) look(ctx context.Context, building bool, listed *listing) error {
	if !building {
		if complete, err := r.mark(ctx, nil); complete || err != nil {
			return err
		}
	}
	if listed.stable == nil || time.Since(listed.at) > hotListing {
		stable, err := r.stables(ctx, r.view.Topics...)
		if err != nil {
			return err
		}
		*listed = listing{stable, time.Now()}
	}
	hot, err := r.compare(ctx, listed.stable)
	if hot {
		r.log.Info("view is hot", "version", r.view.Version)
		*listed = listing{}
	}
	return err
}

// mark writes marks, and says whether every partition of the view has one.
func (r *viewReader) mark(ctx context.Context, marks map[streams.Partition]int64) (complete bool, err error) {
	err = r.redis(ctx, func() error {
		complete, err = r.store.MarkHot(ctx, marks)
		return err
	})
	return complete, err
}

// unmarked says whether a partition that is followed here has no mark.
func (r *viewReader) unmarked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.running {
		if r.states[id].building() {
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
		if complete, err := r.mark(ctx, listed); !complete || err != nil {
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
