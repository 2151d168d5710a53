package compaction

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/state"
)

// keeper keeps one snapshot topic: the partitions that its group assigns.
type keeper struct {
	compactor *Compactor
	fold      *Fold
	source    snapshot.Source
	firsts    map[streams.Partition]int64 // first offsets of the source
	retention string                      // its retention.ms
	kafka     *kafka.Reader
	assigner  kafka.Assigner
	owners    follow.Owners
	metrics   foldMetrics
	log       *slog.Logger
	kafkaAway follow.Outage
	ends      *follow.Ends
	away      follow.Parts[follow.Reasoner] // what may be
	stop      context.CancelCauseFunc

	mu       sync.Mutex
	assigned bool  // whether the group knows this process, be it as a member without partitions
	ended    error // why the fold ended in this process
	states   map[streams.Partition]*partitionState
}

// run keeps the topic until ctx ends or the fold cannot go on.
func (k *keeper) run(ctx context.Context) error {
	ctx, k.stop = context.WithCancelCause(ctx)
	defer k.stop(nil)
	if err := k.kafkaAway.Retry(ctx, func() error { return k.prepare(ctx) }); err != nil {
		return err
	}
	var err error
	k.kafka, err = kafka.NewReader(k.compactor.Kafka, kafka.ReaderOptions{Topics: []string{k.fold.Topic}, Logger: k.log})
	if err != nil {
		return err
	}
	k.away.Add(k.kafka)
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error { return k.kafka.Run(working) })
	work.Go(func() error {
		return k.assigner.Run(working, kafka.Listener{Assigned: k.assign, Revoked: k.revoke})
	})
	work.Go(func() error { return k.report(working) })
	err = work.Wait()
	if left := context.Cause(ctx); left != nil {
		return left
	}
	return err
}

// leave ends the fold in this process, for a reason.
func (k *keeper) leave(err error) { k.stop(err) }

// prepare looks the source up and makes the snapshot topic, or looks at what it
// is set to.
func (k *keeper) prepare(ctx context.Context) error {
	admin := k.compactor.admin
	topics, err := admin.Topics(ctx, k.fold.Topic)
	if err != nil {
		return err
	}
	source := topics[k.fold.Topic]
	k.retention = source.Configs["retention.ms"]
	k.source = snapshot.Source{Topic: source.Name, ID: source.ID, Partitions: source.Partitions}
	if k.firsts, err = admin.StartOffsets(ctx, k.fold.Topic); err != nil {
		return err
	}
	warnings, err := snapshot.EnsureTopic(ctx, admin, k.fold.Snapshots, source.Partitions)
	for _, w := range warnings {
		k.log.Warn(w)
	}
	return err
}

// first is the first offset of a partition of the source.
func (k *keeper) first(p streams.Partition) int64 { return k.firsts[p] }

// watermark is that of a partition at a source offset.
func (k *keeper) watermark(partition int32, next int64) snapshot.Watermark {
	return snapshot.Watermark{
		Topic: k.source.Topic, TopicID: k.source.ID, Partition: partition, Partitions: k.source.Partitions,
		Next: next, Digest: k.fold.Digest,
	}
}

// stable lists the LSO of one partition.
func (k *keeper) stable(ctx context.Context, p streams.Partition) (int64, error) {
	var ends kafka.Ends
	err := k.kafkaAway.Retry(ctx, func() (err error) {
		ends, err = k.ends.Of(ctx, p.Topic)
		return err
	})
	if err != nil {
		return 0, err
	}
	now := snapshot.Source{Topic: p.Topic, ID: ends.ID, Partitions: ends.Partitions}
	if now != k.source {
		return 0, &snapshot.SourceError{Before: k.source, Now: now}
	}
	return ends.Stable[p.Partition], nil
}

// assign starts the goroutines of partitions.
func (k *keeper) assign(ctx context.Context, ps []streams.Partition) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.assigned = true
	for _, id := range ps {
		p, err := k.partition(id)
		if err != nil {
			k.leave(err)
			return
		}
		k.states[id] = p.state
		k.owners.Start(ctx, id, p.run)
	}
}

func (k *keeper) partition(id streams.Partition) (*partition, error) {
	memory := state.NewMemory()
	replay, err := k.fold.Replay(k.source.Partitions, memory)
	if err != nil {
		return nil, err
	}
	p := &partition{
		keeper: k, id: id, replay: replay, memory: memory, state: newPartitionState(k.fold, id),
		log: k.log.With(keyTopic, id.Topic, keyPartition, id.Partition),
	}
	p.away = follow.Outage{
		Log: p.log, Away: "the snapshot partition cannot be taken over", Back: "the snapshot partition is taken over",
		Waits: func(err error) bool { return !errors.Is(err, kafka.ErrRefused) && !errors.Is(err, context.Canceled) },
	}
	return p, nil
}

// revoke returns when nothing of the assignment can write any more.
func (k *keeper) revoke(_ context.Context, ps []streams.Partition, lost bool) {
	k.mu.Lock()
	k.assigned = !lost
	k.mu.Unlock()
	k.owners.Stop(ps)
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, id := range ps {
		delete(k.states, id)
	}
}

// reportInterval is how often lag tools are told the watermarks.
const reportInterval = 5 * time.Second

// report writes the watermarks to the group for tools that show lag, where they
// have moved.
func (k *keeper) report(ctx context.Context) error {
	var told map[streams.Partition]int64
	for {
		if err := follow.Sleep(ctx, reportInterval); err != nil {
			return err
		}
		positions := map[streams.Partition]int64{}
		for _, p := range k.progress(time.Now()) {
			if p.Watermark > 0 {
				positions[p.Partition] = p.Watermark
			}
		}
		if !maps.Equal(positions, told) && k.assigner.Commit(ctx, positions) == nil { // for onlookers: the next round repeats what failed
			told = positions
		}
	}
}

// progress returns how far the partitions are that are owned here.
func (k *keeper) progress(now time.Time) []Progress {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []Progress
	for _, s := range k.states {
		all = append(all, s.progress(now))
	}
	slices.SortFunc(all, func(a, b Progress) int { return int(a.Partition.Partition) - int(b.Partition.Partition) })
	return all
}

// end remembers why the fold has ended in this process.
func (k *keeper) end(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = err
}

// notReady says what keeps the fold from being ready.
func (k *keeper) notReady() (why []string) {
	why = follow.Reasons(k.fold.Name, k.away.All())
	k.mu.Lock()
	assigned, ended := k.assigned, k.ended
	k.mu.Unlock()
	switch {
	case ended != nil:
		return []string{k.fold.Name + ": stopped: " + ended.Error()}
	case !assigned:
		why = append(why, k.fold.Name+": not assigned yet")
	}
	for _, p := range k.progress(time.Now()) {
		if p.NotReady != "" {
			why = append(why, k.fold.Name+" "+p.Partition.String()+": "+p.NotReady)
		}
	}
	return why
}
