package compaction

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/kafka"
)

// Keys of log lines.
const (
	keyError     = "error"
	keyNext      = "next_step"
	keyFold      = "snapshots"
	keyTopic     = "topic"
	keyPartition = "partition"
)

// Options are what a [Compactor] needs.
type Options struct {
	Config Config
	Kafka  kafka.Config
	// Topics are the settings of the topics, by name; one that is missing has
	// the defaults.
	Topics map[string]kafka.TopicConfig
	Folds  []*Fold
	// Metrics may be nil.
	Metrics *Metrics
	// Logger may be nil: then nothing is logged.
	Logger *slog.Logger
	// Assigner makes the source of a fold's assignments. Nil means the consumer
	// group of the fold; tests put direct assignment here.
	Assigner func(group string, topics []string) kafka.Assigner
}

// Compactor keeps snapshot topics: one reader and one consumer group each.
type Compactor struct {
	Options
	admin   *kafka.Admin
	keepers follow.Parts[*keeper]
}

// New returns a compactor that has connected to nothing yet.
func New(o Options) (*Compactor, error) {
	o.Config = o.Config.WithDefaults()
	o.Kafka = o.Kafka.WithDefaults()
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.Metrics = cmp.Or(o.Metrics, NewMetrics(prometheus.NewRegistry()))
	if o.Assigner == nil {
		o.Assigner = follow.Groups(o.Kafka, o.Logger)
	}
	admin, err := kafka.NewAdmin(o.Kafka)
	if err != nil {
		return nil, err
	}
	c := &Compactor{Options: o, admin: admin}
	o.Metrics.progress.watch(c.Progress)
	return c, nil
}

// Run keeps the snapshots of every fold until ctx ends, which is no error. A fold
// that cannot go on at all leaves the others running; Run returns when none is
// left. A Kafka that is away is waited for.
func (c *Compactor) Run(ctx context.Context) error {
	defer c.admin.Close()
	if err := c.check(ctx); err != nil {
		return follow.Ended(ctx, err)
	}
	var keepers []*keeper
	for _, f := range c.Folds {
		keepers = append(keepers, c.keeper(f))
	}
	return follow.All(ctx, keepers, func(ctx context.Context, k *keeper) error { return k.run(ctx) }, func(k *keeper, err error) {
		k.end(err)
		c.Logger.Error("snapshots stopped", keyFold, k.fold.Name, keyError, err)
	})
}

// check refuses event topics that lose events. Whether those that are lost are in
// the snapshots, whoever loads them sees.
func (c *Compactor) check(ctx context.Context) error {
	o := kafka.CheckOptions{Topics: map[string]kafka.TopicConfig{}, FromSnapshots: func(string) bool { return true }}
	for _, f := range c.Folds {
		o.Topics[f.Topic] = c.Topics[f.Topic]
	}
	return follow.CheckTopics(ctx, c.Logger, c.admin, o)
}

// keeper makes the keeper of a fold and lists it.
func (c *Compactor) keeper(f *Fold) *keeper {
	log := c.Logger.With(keyFold, f.Name)
	k := &keeper{
		compactor: c, fold: f, metrics: c.Metrics.of(f.Name), log: log,
		kafkaAway: follow.Server(log, "kafka", kafka.Waits),
		ends:      follow.NewEnds(c.admin.StableEnds),
		states:    map[streams.Partition]*partitionState{},
	}
	// one group for each topic that is written: its partitions are the ones that
	// may have one owner
	k.assigner = c.Assigner(c.Kafka.Prefix+"."+f.Snapshots, []string{f.Topic})
	k.away.Add(&k.kafkaAway)
	k.away.Add(k.assigner)
	c.keepers.Add(k)
	return k
}

// Progress returns how far the partitions are that this process owns, by fold
// and partition. It may be called at any time.
func (c *Compactor) Progress() []Progress {
	now := time.Now()
	return follow.Gather(c.keepers.All(), func(k *keeper) []Progress { return k.progress(now) })
}

// NotReady says what keeps the process from being ready, one line each: a fold
// without an assignment, or whose Kafka is away; a partition that is being loaded,
// that has not reached the LSO that was listed at its assignment, or that stopped.
func (c *Compactor) NotReady() []string {
	keepers := c.keepers.All()
	if len(keepers) < len(c.Folds) {
		return []string{"starting: checking topics"}
	}
	return follow.Gather(keepers, (*keeper).notReady)
}
