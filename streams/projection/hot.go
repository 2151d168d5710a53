package projection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
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
		if err := follow.Sleep(ctx, hotTick); err != nil {
			return err
		}
		cold := r.cold()
		if !cold && time.Since(looked) < hotListing {
			continue
		}
		looked = time.Now()
		hot, err := r.look(ctx, cold, &listed)
		switch {
		case errors.Is(err, ErrWiped): // owners of partitions define the view anew
		case errors.Is(err, kafka.ErrNoTopic): // its partitions say so and stop, the others go on
		case err != nil:
			return err
		case hot && r.cooled.Swap(false):
			listed = listing{}
			r.tellHot(ctx)
		}
	}
}

// listing is the LSOs of the view's topics at a time.
type listing struct {
	stable map[streams.Partition]int64
	at     time.Time
}

// cold says whether a partition that is followed here is.
func (r *viewReader) cold() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range r.owners.Partitions() {
		if r.states[id].cold() {
			return true
		}
	}
	return false
}

// look writes what is missing of a view that is hot, and says whether it is.
func (r *viewReader) look(ctx context.Context, cold bool, listed *listing) (hot bool, err error) {
	if !cold {
		if hot, err := r.mark(ctx, nil); hot || err != nil {
			return hot, err
		}
	}
	if listed.stable == nil || time.Since(listed.at) > hotListing {
		stable, err := r.stables(ctx, r.view.Topics...)
		if err != nil {
			return false, err
		}
		*listed = listing{stable, time.Now()}
	}
	return r.mark(ctx, listed.stable)
}

// mark writes marks where every position has reached them, takes over those that
// stand in Redis, and says whether the view is hot.
func (r *viewReader) mark(ctx context.Context, marks map[streams.Partition]int64) (hot bool, err error) {
	var marked Marked
	err = r.redis(ctx, func() error {
		marked, err = r.store.MarkHot(ctx, marks)
		return err
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range r.owners.Partitions() {
		if mark, ok := marked.Marks[id]; ok {
			r.states[id].marked(mark)
		}
	}
	return marked.Hot, err
}

// tellHot logs that the view is hot, and whether readers see it.
func (r *viewReader) tellHot(ctx context.Context) {
	log := r.log.With("version", r.view.Version)
	live, err := LiveVersion(ctx, r.projector.Redis, r.projector.Prefix, r.view.Name)
	switch {
	case err != nil:
		log.Info("view is hot; the live version is unknown", keyError, err)
	case live != r.view.Version:
		log.Info("view is hot; readers see another version", "live_version", live,
			keyNext, fmt.Sprintf("compare the two, then set %s to %d", r.view.ID(r.projector.Prefix).liveKey(), r.view.Version))
	default:
		log.Info("view is hot")
	}
}
