package projection

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/kafka"
)

// viewReader runs one version of one view: the partitions that its group
// assigns, and the checks that no single partition can make.
type viewReader struct {
	projector *Projector
	view      *View
	config    Config
	store     *Store
	kafka     *kafka.Reader
	assigner  kafka.Assigner
	metrics   viewMetrics
	log       *slog.Logger
	tick      time.Duration
	redisAway follow.Outage
	kafkaAway follow.Outage
	identity  Definition
	ends      *follow.Ends
	stop      context.CancelCauseFunc
	cooled    atomic.Bool // whether a partition was cold when it was taken over, since the view was hot last
	snapshots snapshots
	// noSnapshots is while their topic does not exist.
	noSnapshots follow.Outage
	away        follow.Parts[follow.Reasoner] // what may be

	mu       sync.Mutex
	assigned bool  // whether the group knows this process, be it as a member without partitions
	ended    error // why the view ended in this process
	states   map[streams.Partition]*partitionState
	owners   follow.Owners
	loads    loads // that have ended while others have not
}

// run reads the view until ctx ends or the view cannot go on.
func (r *viewReader) run(ctx context.Context) error {
	ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	if err := r.identify(ctx); err != nil {
		return err
	}
	if err := r.define(ctx); err != nil {
		return err
	}
	var err error
	r.kafka, err = kafka.NewReader(r.projector.Kafka, kafka.ReaderOptions{
		Topics: r.view.Topics, Logger: r.log,
		MaxPartitionBytes: fetchShare(len(r.projector.Views), r.identity.partitions()),
	})
	if err != nil {
		return err
	}
	r.away.Add(r.kafka)
	defer r.snapshots.close()
	return r.work(ctx)
}

// work does everything that a view does until the first part of it ends.
func (r *viewReader) work(view context.Context) error {
	work, ctx := errgroup.WithContext(view)
	work.Go(func() error { return r.kafka.Run(ctx) })
	work.Go(func() error {
		return r.assigner.Run(ctx, kafka.Listener{Assigned: r.assign, Revoked: r.revoke})
	})
	work.Go(func() error { return r.watchHot(ctx) })
	work.Go(func() error { return r.report(ctx) })
	err := work.Wait()
	if left := context.Cause(view); left != nil {
		return left
	}
	return err
}

// leave ends the view in this process, for a reason.
func (r *viewReader) leave(err error) { r.stop(err) }

// identify learns what the definition records of the cluster and the topics.
func (r *viewReader) identify(ctx context.Context) error {
	r.identity = Definition{Layout: Layout, Digest: r.view.Digest, Text: r.view.Text, Topics: map[string]TopicIdentity{}}
	return r.kafkaAway.Retry(ctx, func() error {
		cluster, err := r.projector.admin.ClusterID(ctx)
		if err != nil {
			return err
		}
		r.identity.ClusterID = cluster
		topics, err := r.projector.admin.Topics(ctx, r.view.Topics...)
		for name, t := range topics {
			r.identity.Topics[name] = TopicIdentity{ID: t.ID, Partitions: t.Partitions}
		}
		return err
	})
}

// define writes the definition, or compares what is there.
func (r *viewReader) define(ctx context.Context) error {
	return r.redisAway.Retry(ctx, func() error { return r.store.Define(ctx, r.identity) })
}

// redis calls do until Redis answers.
func (r *viewReader) redis(ctx context.Context, do func() error) error {
	return r.redisAway.Retry(ctx, do)
}

// stable lists the LSO of one partition. A topic that is not the one that the
// rows were built from is refused: the group may assign partitions of it long
// after the definition was compared.
func (r *viewReader) stable(ctx context.Context, p streams.Partition) (int64, error) {
	var ends kafka.Ends
	err := r.kafkaAway.Retry(ctx, func() (err error) {
		ends, err = r.ends.Of(ctx, p.Topic)
		return err
	})
	if err != nil {
		return 0, err
	}
	now, then := TopicIdentity{ID: ends.ID, Partitions: ends.Partitions}, r.identity.Topics[p.Topic]
	if now != then {
		return 0, &TopicChangedError{Topic: p.Topic, Stored: then, Now: now}
	}
	return ends.Stable[p.Partition], nil
}

// stables lists the LSOs of topics.
func (r *viewReader) stables(ctx context.Context, topics ...string) (all map[streams.Partition]int64, err error) {
	err = r.kafkaAway.Retry(ctx, func() error {
		all, err = r.projector.admin.StableOffsets(ctx, topics...)
		return err
	})
	return all, err
}

// assign starts the goroutines of partitions.
func (r *viewReader) assign(ctx context.Context, ps []streams.Partition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.assigned = true
	for _, id := range ps {
		p, err := r.partitionLocked(id)
		if err != nil {
			r.leave(err)
			return
		}
		r.owners.Start(ctx, id, p.run)
	}
}

func (r *viewReader) partitionLocked(id streams.Partition) (*partition, error) {
	state := r.states[id]
	if state == nil {
		state = newPartitionState(id)
		r.states[id] = state
	}
	in, err := newInterpreter(r.view, id, r.identity.Topics[id.Topic].Partitions)
	return &partition{
		reader: r, id: id, state: state, in: in, fold: NewFold(r.view.program.Fields),
		memory: &share{of: r.projector.memory},
		log:    r.log.With(keyTopic, id.Topic, keyPartition, id.Partition),
	}, err
}

// revoke returns when nothing of the assignment can write any more.
func (r *viewReader) revoke(_ context.Context, ps []streams.Partition, lost bool) {
	r.mu.Lock()
	r.assigned = !lost
	r.mu.Unlock()
	r.owners.Stop(ps)
	for _, id := range ps {
		if s := r.state(id); s != nil {
			s.released()
		}
	}
}

func (r *viewReader) state(id streams.Partition) *partitionState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.states[id]
}

// report says every few seconds that the owner lives, and writes its positions
// to the group for tools that show lag.
func (r *viewReader) report(ctx context.Context) error {
	for {
		if err := follow.Sleep(ctx, idleCheck); err != nil {
			return err
		}
		var live []streams.Partition
		positions := map[streams.Partition]int64{}
		for _, p := range r.progress(time.Now()) {
			if p.Err != nil {
				continue
			}
			live = append(live, p.Partition)
			if p.Load == nil {
				positions[p.Partition] = p.Position
			}
		}
		// both are for onlookers: the next round repeats what failed
		_ = r.store.Seen(ctx, live...)
		if len(positions) > 0 {
			_ = r.assigner.Commit(ctx, positions)
		}
	}
}

// progress returns how far the partitions are that are owned here.
func (r *viewReader) progress(now time.Time) []Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Progress
	for _, s := range r.states {
		if p, owned := s.progress(now); owned {
			p.View, p.Version = r.view.Name, r.view.Version
			all = append(all, p)
		}
	}
	slices.SortFunc(all, byPartition)
	return all
}

// end remembers why the view has ended in this process.
func (r *viewReader) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = err
}

// notReady says what keeps the view from being ready.
func (r *viewReader) notReady() (why []string) {
	why = follow.Reasons(r.view.Name, r.away.All())
	r.mu.Lock()
	assigned, ended := r.assigned, r.ended
	r.mu.Unlock()
	switch {
	case ended != nil:
		return []string{r.view.Name + ": stopped: " + ended.Error()}
	case !assigned:
		why = append(why, r.view.Name+": not assigned yet")
	}
	for _, p := range r.progress(time.Now()) {
		if p.NotReady != "" {
			why = append(why, r.view.Name+" "+p.Partition.String()+": "+p.NotReady)
		}
	}
	return why
}
