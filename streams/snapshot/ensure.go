package snapshot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/millrace/millrace/streams/kafka"
)

// setting is how a snapshot topic is set, and what follows where it is not.
type setting struct{ value, otherwise string }

// settings are those of a snapshot topic.
var settings = map[string]setting{
	"cleanup.policy":            {"compact", "snapshots of streams that rest are deleted"},
	"min.compaction.lag.ms":     {"600000", "readers need more passes the shorter it is, and the topic is larger the longer it is"},
	"max.compaction.lag.ms":     {"21600000", "the topic may stay large where little is written"},
	"min.cleanable.dirty.ratio": {"0.1", "the topic may be much larger than the live streams need"},
	"segment.ms":                {"600000", "what was written since the last segment is never compacted"},
	"delete.retention.ms":       {"86400000", "a reader that pauses for longer may bring forgotten streams back"},
	"message.timestamp.type":    {"LogAppendTime", "min.compaction.lag.ms counts from what producers say, and may be void"},
}

// EnsureTopic makes a snapshot topic with the settings that readers count on, or
// compares those of one that exists. The warnings are sentences for the log, one
// for each setting that is another one, with its consequence. The error is
// [ErrUnusable] where snapshots would be lost.
func EnsureTopic(ctx context.Context, admin *kafka.Admin, name string, partitions int32) (warnings []string, err error) {
	topics, err := admin.Topics(ctx, name)
	if errors.Is(err, kafka.ErrNoTopic) {
		spec := kafka.TopicSpec{Name: name, Partitions: partitions, Configs: map[string]string{}}
		for key, s := range settings {
			spec.Configs[key] = s.value
		}
		failed := admin.CreateTopic(ctx, spec)
		if failed == nil {
			return nil, nil
		}
		if topics, err = admin.Topics(ctx, name); err != nil { // or somebody else was quicker, perhaps with other settings
			return nil, failed
		}
	}
	if err != nil {
		return nil, err
	}
	return compare(topics[name], partitions)
}

func compare(t kafka.Topic, partitions int32) (warnings []string, err error) {
	if t.Partitions != partitions {
		return nil, fmt.Errorf("%w: topic %s has %d partitions, its source has %d; name another topic, or raise the version of the fold",
			ErrUnusable, t.Name, t.Partitions, partitions)
	}
	if err := keeps(t); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		want := settings[key]
		if is, ok := t.Configs[key]; ok && is != want.value {
			warnings = append(warnings, fmt.Sprintf("topic %s has %s %s instead of %s: %s", t.Name, key, is, want.value, want.otherwise))
		}
	}
	return warnings, nil
}

// keeps refuses a topic that loses the snapshots of streams that rest.
func keeps(t kafka.Topic) error {
	if policy, ok := t.Configs["cleanup.policy"]; ok && policy != "compact" {
		return fmt.Errorf("%w: topic %s has cleanup.policy %s, so that snapshots of streams that rest are deleted; set it to compact", ErrUnusable, t.Name, policy)
	}
	return nil
}
