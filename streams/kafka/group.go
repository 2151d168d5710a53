package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

// GroupOptions are the settings of [NewGroup].
type GroupOptions struct {
	// Group is the name of the consumer group.
	Group string
	// Topics are those whose partitions are shared out.
	Topics []string
	// Logger takes changes of state. Default: nothing is logged.
	Logger *slog.Logger
	// SessionTimeout is how long the partitions of a worker that died stand
	// still. Shorter, and a long pause of a live worker costs it its partitions.
	// Default: 10 s.
	SessionTimeout time.Duration

	// rebalanceTimeout is how long the group waits for a member; tests want less.
	rebalanceTimeout time.Duration
}

// WithDefaults returns a copy in which what was left out has its default.
func (o GroupOptions) WithDefaults() GroupOptions {
	o.SessionTimeout = cmp.Or(o.SessionTimeout, 10*time.Second)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.rebalanceTimeout = cmp.Or(o.rebalanceTimeout, time.Minute)
	return o
}

// ErrInstanceTaken says that another worker has the same instance ID.
var ErrInstanceTaken = errors.New("another worker has the same kafka.instance_id")

// group assigns by a consumer group of the classic protocol.
type group struct {
	cfg    Config
	opts   GroupOptions
	rejoin rejoinSignal
	outage outage // from the loss of a membership to the next assignment

	mu     sync.Mutex
	client *kgo.Client // nil while this process is no member
}

// NewGroup returns an assigner that shares the partitions of topics out among
// all processes that run one with this group. Its client never fetches.
//
// Partitions are shared out by the cooperative-sticky strategy: in a rebalance
// those that stay where they are go on being worked on, so that a worker which
// comes or goes does not stop all of them.
func NewGroup(cfg Config, opts GroupOptions) Assigner {
	opts = opts.WithDefaults()
	return &group{
		cfg: cfg, opts: opts, rejoin: newRejoinSignal(),
		outage: outage{log: opts.Logger.With("group", opts.Group), what: "the consumer group has no place for this worker", after: 1},
	}
}

// Run is a member of the group until the context ends. An error is
// [ErrInstanceTaken] or one of the configuration; all else is waited for.
func (g *group) Run(ctx context.Context, l Listener) error {
	for {
		g.rejoin.clear()
		if err := g.belong(ctx, l); err != nil {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// Rejoin leaves and joins again as a new member after a jittered second.
func (g *group) Rejoin() { g.rejoin.set() }

// Reason says that the group has no place for this worker: there is none whom it
// could ask, or it is refused. A member that has no partitions has its place.
func (g *group) Reason() string { return g.outage.reason() }

// belong is one membership. It ends without an error by Rejoin.
func (g *group) belong(ctx context.Context, l Listener) error {
	m := newMember(ctx, l, &g.outage)
	client, leave, err := clientOf(g.options(m))
	if err != nil {
		return fmt.Errorf("joining group %s: %w", g.opts.Group, err)
	}
	client.PauseFetchTopics(g.opts.Topics...)
	g.setClient(client)
	err = m.follow(ctx, client, g.rejoin)
	g.setClient(nil)
	leave()
	m.revokeAll()
	if errors.Is(err, kerr.FencedInstanceID) {
		return fmt.Errorf("group %s: %w %q; give each worker a name of its own, or none: %w",
			g.opts.Group, ErrInstanceTaken, g.cfg.InstanceID, err)
	}
	return err
}

func (g *group) setClient(client *kgo.Client) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.client = client
}

func (g *group) options(m *member) []kgo.Opt {
	opts := g.cfg.options(
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumeTopics(g.opts.Topics...),
		kgo.ConsumerGroup(g.opts.Group),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(g.opts.SessionTimeout),
		kgo.RebalanceTimeout(g.opts.rebalanceTimeout),
		kgo.HeartbeatInterval(min(3*time.Second, g.opts.SessionTimeout/3)),
		kgo.DisableAutoCommit(),
		kgo.AdjustFetchOffsetsFn(anyOffset),
		kgo.OnPartitionsAssigned(m.onAssigned),
		kgo.OnPartitionsRevoked(m.onRevoked),
		kgo.OnPartitionsLost(m.onLost),
		kgo.WithHooks(m),
	)
	if g.cfg.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(g.cfg.InstanceID))
	}
	return opts
}

// anyOffset puts a fixed offset in the place of every committed one, so that the
// client has nothing to ask the leaders for. It never fetches.
func anyOffset(_ context.Context, committed map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	for _, ps := range committed {
		for p := range ps {
			ps[p] = kgo.NewOffset().At(0)
		}
	}
	return committed, nil
}

// Commit commits the positions for lag tools.
func (g *group) Commit(ctx context.Context, positions map[streams.Partition]int64) error {
	g.mu.Lock()
	client := g.client
	g.mu.Unlock()
	if client == nil {
		return nil
	}
	offsets := make(map[string]map[int32]kgo.EpochOffset)
	for p, position := range positions {
		if offsets[p.Topic] == nil {
			offsets[p.Topic] = make(map[int32]kgo.EpochOffset)
		}
		offsets[p.Topic][p.Partition] = kgo.EpochOffset{Epoch: -1, Offset: position}
	}
	var failed error
	client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		failed = commitError(resp, err)
	})
	if failed != nil {
		return fmt.Errorf("committing positions to group %s: %w", g.opts.Group, failed)
	}
	return nil
}

func commitError(resp *kmsg.OffsetCommitResponse, err error) error {
	if err != nil {
		return err
	}
	for _, t := range resp.Topics {
		i := slices.IndexFunc(t.Partitions, func(p kmsg.OffsetCommitResponseTopicPartition) bool { return p.ErrorCode != 0 })
		if i >= 0 {
			return kerr.ErrorForCode(t.Partitions[i].ErrorCode)
		}
	}
	return nil
}
