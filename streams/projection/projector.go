package projection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
)

// Keys of log lines.
const (
	keyError     = "error"
	keyNext      = "next_step"
	keyView      = "view"
	keyTopic     = "topic"
	keyPartition = "partition"
	keyFrom      = "from"
	keyTo        = "to"
)

// Options are what a [Projector] needs.
type Options struct {
	Config Config
	Kafka  kafka.Config
	// Topics are the settings of the topics, by name; one that is missing has
	// the defaults.
	Topics map[string]kafka.TopicConfig
	Redis  redis.UniversalClient
	// Prefix begins every key in Redis.
	Prefix string
	Views  []*View
	// Metrics may be nil.
	Metrics *Metrics
	// Logger may be nil: then nothing is logged.
	Logger *slog.Logger
	// Assigner makes the source of a view's assignments. Nil means the consumer
	// group of the view; tests put direct assignment here.
	Assigner func(group string, topics []string) kafka.Assigner
}

// Projector runs views: one reader and one consumer group each.
type Projector struct {
	Options
	admin  *kafka.Admin
	memory *budget
	// What tests replace to see a defence missing.
	newStore  func(redis.UniversalClient, ViewID) *Store
	covered   func(snapshot.Checkpoint) bool
	idleCheck time.Duration
	dials     *atomic.Int64 // connections to Redis that were opened

	readers follow.Parts[*viewReader]
}

// New returns a projector that has connected to nothing yet.
func New(o Options) (*Projector, error) {
	o.Config = o.Config.WithDefaults()
	o.Kafka = o.Kafka.WithDefaults()
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.Metrics = cmp.Or(o.Metrics, NewMetrics(prometheus.NewRegistry()))
	if o.Assigner == nil {
		o.Assigner = follow.Groups(o.Kafka, o.Logger)
	}
	admin, err := kafka.NewAdmin(o.Kafka)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	p := &Projector{
		Options: o, admin: admin, memory: &budget{limit: int64(o.Config.FoldMemory)},
		newStore: NewStore, covered: snapshot.Checkpoint.Covered, idleCheck: idleCheck, dials: new(atomic.Int64),
	}
	o.Redis.AddHook(dialCounter{p.dials})
	o.Metrics.progress.watch(p.Progress)
	return p, nil
}

// Run checks topics and Redis and runs every view until ctx ends, which is no
// error. A view that cannot go on at all leaves the others running; Run returns
// when none is left. A Kafka or Redis that is away is waited for.
func (p *Projector) Run(ctx context.Context) error {
	defer p.admin.Close()
	if err := p.check(ctx); err != nil {
		return follow.Ended(ctx, err)
	}
	var readers []*viewReader
	for _, v := range p.Views {
		readers = append(readers, p.reader(v))
	}
	return follow.All(ctx, readers, func(ctx context.Context, r *viewReader) error { return r.run(ctx) }, func(r *viewReader, err error) {
		r.end(err)
		p.Logger.Error("view stopped", keyView, r.view.Name, keyError, err)
	})
}

// check refuses what would go wrong later: topics that lose events, a Redis
// that evicts.
func (p *Projector) check(ctx context.Context) error {
	o := kafka.CheckOptions{Topics: map[string]kafka.TopicConfig{}, FromSnapshots: p.fromSnapshots}
	for _, v := range p.Views {
		for _, t := range v.Topics {
			o.Topics[t] = p.Topics[t]
		}
	}
	if err := follow.CheckTopics(ctx, p.Logger, p.admin, o); err != nil {
		return err
	}
	redisAway := follow.Server(p.Logger, "redis", Waits)
	return redisAway.Retry(ctx, func() error {
		warning, err := CheckEviction(ctx, p.Redis)
		if warning != "" {
			p.Logger.Warn(warning)
		}
		return err
	})
}

// fromSnapshots says whether all views of a topic begin with snapshots.
func (p *Projector) fromSnapshots(topic string) bool {
	return !slices.ContainsFunc(p.Views, func(v *View) bool { return v.Snapshots == "" && slices.Contains(v.Topics, topic) })
}

// reader makes the reader of a view and lists it.
func (p *Projector) reader(v *View) *viewReader {
	log := p.Logger.With(keyView, v.Name)
	r := &viewReader{
		projector: p, view: v, config: p.Config, metrics: p.Metrics.of(v.Name), log: log, tick: 100 * time.Millisecond,
		store:     p.newStore(p.Redis, v.ID(p.Prefix)),
		redisAway: follow.Server(log, "redis", Waits),
		kafkaAway: follow.Server(log, "kafka", kafka.Waits),
		noSnapshots: follow.Outage{
			Log: log, Away: "there is no topic " + v.Snapshots + ", which a compactor makes", Back: "there is topic " + v.Snapshots,
			Waits: func(err error) bool { return errors.Is(err, kafka.ErrNoTopic) },
		},
		ends:   follow.NewEnds(p.admin.StableEnds),
		states: map[streams.Partition]*partitionState{},
	}
	r.assigner = p.Assigner(p.group(v), v.Topics)
	for _, o := range []follow.Reasoner{&r.kafkaAway, &r.redisAway, &r.noSnapshots, r.assigner} {
		r.away.Add(o)
	}
	p.readers.Add(r)
	return r
}

// group names the consumer group of a view's version: by both prefixes, since
// two installations that shared a group would each get half of the partitions.
func (p *Projector) group(v *View) string {
	return fmt.Sprintf("%s.%s.%s.%d", p.Kafka.Prefix, strings.Trim(p.Prefix, ":"), v.Name, v.Version)
}

// Progress returns how far the partitions are that this process owns, by view,
// topic and partition. It may be called at any time.
func (p *Projector) Progress() []Progress {
	now := time.Now()
	return follow.Gather(p.readers.All(), func(r *viewReader) []Progress { return r.progress(now) })
}

// NotReady says what keeps the process from being ready, one line each: a view
// without an assignment, or whose Kafka or Redis is away; a partition that has not
// reached the LSO that was listed at its assignment, or that stopped.
func (p *Projector) NotReady() []string {
	readers := p.readers.All()
	if len(readers) < len(p.Views) {
		return []string{"starting: checking topics and redis"}
	}
	return follow.Gather(readers, (*viewReader).notReady)
}
