package projection

import (
	"context"
	"sync"
	"time"

	"github.com/millrace/millrace/streams/snapshot"
)

// loads counts what was loaded.
type loads struct {
	began                    time.Time
	partitions, passes       int
	records, snapshots, gone int64 // gone are snapshots, too
	offsets                  int64 // of events that were not read
}

func (l *load) count(r *snapshot.Record) {
	l.records++
	if r.Watermark != nil {
		return
	}
	l.snapshots++
	l.pending++
	if r.Gone || r.Forgotten {
		l.gone++
	}
}

func (l *loads) add(o loads) {
	if l.partitions == 0 || o.began.Before(l.began) {
		l.began = o.began
	}
	l.partitions += o.partitions
	l.passes += o.passes
	l.records += o.records
	l.snapshots += o.snapshots
	l.gone += o.gone
	l.offsets += o.offsets
}

// loaded logs what the loads of the view came to, when the last partition that is
// owned here has loaded.
func (r *viewReader) loaded(p *partition, l loads) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.state.loaded()
	r.loads.add(l)
	for _, id := range r.owners.Partitions() {
		if r.states[id].toLoad() {
			return
		}
	}
	l, r.loads = r.loads, loads{}
	r.log.Info("snapshots are loaded", "partitions", l.partitions, "records", l.records, "snapshots", l.snapshots, "gone", l.gone,
		"passes", l.passes, "instead_of_offsets", l.offsets, "after", time.Since(l.began).Round(time.Millisecond))
}

// snapshots is the snapshot topic of a view. Safe for concurrent use.
type snapshots struct {
	mu    sync.Mutex
	topic *snapshot.Topic // nil before a partition had to load
}

// openSnapshots opens the snapshot topic for the first partition that asks. One
// that does not exist yet is waited for.
func (r *viewReader) openSnapshots(ctx context.Context) (topic *snapshot.Topic, err error) {
	err = r.kafkaAway.Retry(ctx, func() error {
		return r.noSnapshots.Retry(ctx, func() error {
			topic, err = r.openOnce(ctx)
			return err
		})
	})
	return topic, err
}

func (r *viewReader) openOnce(ctx context.Context) (_ *snapshot.Topic, err error) {
	s := &r.snapshots
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topic == nil {
		s.topic, err = snapshot.Open(ctx, r.projector.Kafka, r.view.Topics[0], r.view.Snapshots)
	}
	return s.topic, err
}

// close ends the connections.
func (s *snapshots) close() {
	if s.topic != nil {
		s.topic.Close()
	}
}
