package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// TopicSpec is a topic to be created.
type TopicSpec struct {
	Name       string
	Partitions int32
	// Configs are its settings. Without retention.ms the topic keeps its records
	// for ever, which is not Kafka's default (7 days) but what events need.
	Configs map[string]string
}

// retentionForever is the value of retention.ms and retention.bytes that
// deletes nothing.
const retentionForever = "-1"

func (s TopicSpec) withDefaults() TopicSpec {
	s.Configs = maps.Clone(s.Configs)
	if s.Configs == nil {
		s.Configs = make(map[string]string)
	}
	s.Configs["retention.ms"] = cmp.Or(s.Configs["retention.ms"], retentionForever)
	return s
}

// CreateTopic creates a topic with the replication factor that brokers have as
// default and returns when it can be used. One that exists is compared: other
// partitions or settings than these are an error, settings that the spec does
// not name may be anything.
func (a *Admin) CreateTopic(ctx context.Context, spec TopicSpec) error {
	spec = spec.withDefaults()
	configs := make(map[string]*string, len(spec.Configs))
	for k, v := range spec.Configs {
		configs[k] = &v
	}
	resp, err := a.admin.CreateTopic(ctx, spec.Partitions, -1, configs, spec.Name)
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return a.compare(ctx, spec)
	}
	if err != nil {
		return fmt.Errorf("creating topic %s: %w", spec.Name, withMessage(err, resp.ErrMessage))
	}
	return a.awaitTopic(ctx, spec)
}

func withMessage(err error, message string) error {
	if message != "" {
		err = fmt.Errorf("%w (%s)", err, message)
	}
	if errors.Is(err, kerr.InvalidReplicationFactor) {
		err = fmt.Errorf("%w; start the brokers that are missing, or lower default.replication.factor", err)
	}
	return err
}

// awaitTopic waits until every partition has a leader: brokers hear of a new
// topic a moment after it was created.
func (a *Admin) awaitTopic(ctx context.Context, spec TopicSpec) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		offsets, err := a.EndOffsets(ctx, spec.Name)
		if err == nil && len(offsets) == int(spec.Partitions) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for topic %s: %w", spec.Name, errors.Join(ctx.Err(), err))
		case <-ticker.C:
		}
	}
}

// compare says in what an existing topic differs from the spec.
func (a *Admin) compare(ctx context.Context, spec TopicSpec) error {
	topics, err := patiently(ctx, func() (map[string]Topic, error) { return a.Topics(ctx, spec.Name) })
	if err != nil {
		return err
	}
	t := topics[spec.Name]
	var differs []string
	if t.Partitions != spec.Partitions {
		differs = append(differs, fmt.Sprintf("it has %d partitions, not %d", t.Partitions, spec.Partitions))
	}
	for _, k := range slices.Sorted(maps.Keys(spec.Configs)) {
		if t.Configs[k] != spec.Configs[k] {
			differs = append(differs, fmt.Sprintf("its %s is %q, not %q", k, t.Configs[k], spec.Configs[k]))
		}
	}
	if len(differs) > 0 {
		return fmt.Errorf("topic %s exists and differs: %s; change it, or take another name", spec.Name, strings.Join(differs, "; "))
	}
	return nil
}
