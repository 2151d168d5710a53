package kafka

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// Admin asks the cluster and creates topics. No question is repeated for long:
// who gets an error while a broker is away asks again. But a topic that was there
// is gone only where that has been the answer for 10 s: a broker that has just
// started does not know every topic. Its methods are safe for concurrent use.
type Admin struct {
	client *kgo.Client
	admin  *kadm.Client
	known  sync.Map // names of topics that are there, for all we know
}

// NewAdmin returns an admin. It does not connect yet; Close it after use.
func NewAdmin(cfg Config) (*Admin, error) {
	client, err := kgo.NewClient(cfg.options(
		kgo.RequestRetries(questionRetries),
		kgo.MetadataMinAge(10*time.Millisecond), // answers are never older
	)...)
	if err != nil {
		return nil, fmt.Errorf("opening the Kafka client: %w", err)
	}
	return &Admin{client: client, admin: kadm.NewClient(client)}, nil
}

// Close closes the connections.
func (a *Admin) Close() { a.client.Close() }

// ClusterID returns the ID that the cluster gave itself.
func (a *Admin) ClusterID(ctx context.Context) (string, error) {
	m, err := a.admin.BrokerMetadata(ctx)
	if err != nil {
		return "", fmt.Errorf("asking Kafka for its cluster ID: %w", err)
	}
	return m.Cluster, nil
}

// Topic is a topic as the cluster has it.
type Topic struct {
	Name string
	// ID is another one when a topic is made anew under the same name. It is
	// written as Kafka's tools write it; empty if the cluster has no topic IDs.
	ID         string
	Partitions int32
	// Replicas is the smallest number of replicas that a partition has.
	Replicas int
	// Configs are all its settings, those by default too.
	Configs map[string]string
}

// Topics returns the topics of these names. The error is [ErrNoTopic] where one
// of them does not exist.
func (a *Admin) Topics(ctx context.Context, names ...string) (map[string]Topic, error) {
	return about(ctx, a, names, func() (map[string]Topic, error) { return a.topics(ctx, names) })
}

func (a *Admin) topics(ctx context.Context, names []string) (map[string]Topic, error) {
	details, err := a.details(ctx, names)
	if err != nil {
		return nil, err
	}
	configs, err := a.admin.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("asking Kafka for the settings of topics: %w", err)
	}
	topics := make(map[string]Topic, len(names))
	for _, rc := range configs {
		if rc.Err != nil {
			return nil, fmt.Errorf("asking Kafka for the settings of topic %s: %w", rc.Name, noTopic(rc.Err))
		}
		topics[rc.Name] = topicOf(details[rc.Name], rc)
	}
	return topics, nil
}

func topicOf(d kadm.TopicDetail, rc kadm.ResourceConfig) Topic {
	t := Topic{
		Name:       d.Topic,
		Partitions: int32(len(d.Partitions)),
		Replicas:   d.Partitions.NumReplicas(),
		Configs:    make(map[string]string, len(rc.Configs)),
	}
	if d.ID != (kadm.TopicID{}) {
		t.ID = base64.RawURLEncoding.EncodeToString(d.ID[:])
	}
	for _, p := range d.Partitions {
		t.Replicas = min(t.Replicas, len(p.Replicas))
	}
	for _, c := range rc.Configs {
		t.Configs[c.Key] = c.MaybeValue()
	}
	return t
}

// details returns what metadata says; every name has an entry.
func (a *Admin) details(ctx context.Context, names []string) (kadm.TopicDetails, error) {
	if len(names) == 0 {
		return nil, nil // Kafka would take it for all topics
	}
	details, err := a.admin.ListTopics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("asking Kafka for topics: %w", err)
	}
	for _, name := range names {
		d, ok := details[name]
		switch {
		case !ok, errors.Is(d.Err, kerr.UnknownTopicOrPartition):
			return nil, fmt.Errorf("%w: %s", ErrNoTopic, name)
		case d.Err != nil:
			return nil, fmt.Errorf("asking Kafka for topic %s: %w", name, d.Err)
		}
		a.known.Store(name, true)
	}
	return details, nil
}

// StableOffsets returns the last stable offset of every partition of the topics:
// the end of what a read-committed reader may see.
func (a *Admin) StableOffsets(ctx context.Context, topics ...string) (map[streams.Partition]int64, error) {
	return a.offsets(ctx, topics, atStableEnd)
}

// Ends are the last stable offsets of a topic, and which topic it is.
type Ends struct {
	ID         string // see Topic
	Partitions int32
	Stable     map[int32]int64 // by partition
}

// StableEnds returns the last stable offsets of a topic and what it is known
// by. The ID was read before the offsets.
func (a *Admin) StableEnds(ctx context.Context, topic string) (Ends, error) {
	return about(ctx, a, []string{topic}, func() (Ends, error) { return a.stableEnds(ctx, topic) })
}

func (a *Admin) stableEnds(ctx context.Context, topic string) (Ends, error) {
	details, err := a.details(ctx, []string{topic})
	if err != nil {
		return Ends{}, err
	}
	offsets, err := a.offsetsOf(ctx, details, atStableEnd)
	if err != nil {
		return Ends{}, err
	}
	t := topicOf(details[topic], kadm.ResourceConfig{})
	ends := Ends{ID: t.ID, Partitions: t.Partitions, Stable: make(map[int32]int64, len(offsets))}
	for p, offset := range offsets {
		ends.Stable[p.Partition] = offset
	}
	return ends, nil
}

// EndOffsets returns the high watermark of every partition of the topics.
func (a *Admin) EndOffsets(ctx context.Context, topics ...string) (map[streams.Partition]int64, error) {
	return a.offsets(ctx, topics, atEnd)
}

// StartOffsets returns the first offset of every partition of the topics.
func (a *Admin) StartOffsets(ctx context.Context, topics ...string) (map[streams.Partition]int64, error) {
	return a.offsets(ctx, topics, atStart)
}

func (a *Admin) offsets(ctx context.Context, topics []string, at place) (map[streams.Partition]int64, error) {
	return about(ctx, a, topics, func() (map[streams.Partition]int64, error) {
		details, err := a.details(ctx, topics)
		if err != nil {
			return nil, err
		}
		return a.offsetsOf(ctx, details, at)
	})
}

func (a *Admin) offsetsOf(ctx context.Context, details kadm.TopicDetails, at place) (map[streams.Partition]int64, error) {
	var ps []streams.Partition
	for _, d := range details {
		for p := range d.Partitions {
			ps = append(ps, streams.Partition{Topic: d.Topic, Partition: p})
		}
	}
	offsets := make(map[streams.Partition]int64, len(ps))
	for p, l := range listOffsets(ctx, a.client, ps, at) {
		if l.err != nil {
			return nil, l.err
		}
		offsets[p] = l.offset
	}
	return offsets, nil
}
