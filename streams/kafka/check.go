package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/millrace/millrace/streams"
)

// CheckOptions are what [CheckTopics] checks.
type CheckOptions struct {
	// Topics are the event topics to be read, by name.
	Topics map[string]TopicConfig
	// FromSnapshots says that all who read a topic begin with snapshots, which may
	// include what was deleted from it: who loads them compares. Nil: nobody does.
	FromSnapshots func(topic string) bool
}

// enoughReplicas is how many copies let one broker die and another be restarted
// without a loss.
const enoughReplicas = 3

// CheckTopics checks that event topics can be read from their first event on, or
// from snapshots, now and later. The warnings are sentences for the log. The error
// joins everything that is wrong: a topic that does not exist ([ErrNoTopic]); one
// whose events Kafka deletes or compacts, or has deleted from offset 0 on where
// somebody reads it from there ([ErrRetention]), unless AcceptRetention is set. A
// position that needs deleted events stops its partition in any case.
func CheckTopics(ctx context.Context, a *Admin, opts CheckOptions) (warnings []string, err error) {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(opts.Topics)) {
		topics, err := a.Topics(ctx, name)
		if errors.Is(err, ErrNoTopic) {
			problems = append(problems, fmt.Errorf("%w; create it with as many partitions as it will ever need: "+
				"kafka-topics.sh --create --topic %s --partitions 12 --config retention.ms=-1", err, name))
			continue
		} else if err != nil {
			return warnings, err
		}
		starts, err := a.StartOffsets(ctx, name)
		if err != nil {
			return warnings, err
		}
		problems = append(problems, opts.check(topics[name], starts))
		if n := topics[name].Replicas; n < enoughReplicas {
			warnings = append(warnings, fmt.Sprintf("topic %s has a replication factor of %d; below %d a broken disk loses events",
				name, n, enoughReplicas))
		}
	}
	return warnings, errors.Join(problems...)
}

// ErrRetention says that Kafka deletes events.
var ErrRetention = errors.New("events do not stay in the topic")

// check checks that the events of a topic are there, and stay.
func (o *CheckOptions) check(t Topic, starts map[streams.Partition]int64) error {
	switch {
	case o.Topics[t.Name].AcceptRetention:
		return nil
	case o.FromSnapshots != nil && o.FromSnapshots(t.Name):
		return checkRetention(t)
	}
	return errors.Join(checkRetention(t), checkStart(starts, t))
}

const acceptHint = "or set accept_retention: true on the topic if views need not be built anew"

// checkRetention checks that nothing will be deleted.
func checkRetention(t Topic) error {
	if policy := t.Configs["cleanup.policy"]; strings.Contains(policy, "compact") {
		return fmt.Errorf("topic %s: %w: cleanup.policy is %s, which drops all but the last event of a stream; set it to delete, %s",
			t.Name, ErrRetention, policy, acceptHint)
	}
	for _, k := range []string{"retention.ms", "retention.bytes"} {
		if v := t.Configs[k]; v != retentionForever {
			return fmt.Errorf("topic %s: %w: %s is %s, after which they are deleted; set it to -1, %s",
				t.Name, ErrRetention, k, v, acceptHint)
		}
	}
	return nil
}

// checkStart checks that nothing has been deleted.
func checkStart(starts map[streams.Partition]int64, t Topic) error {
	for n := range t.Partitions {
		p := streams.Partition{Topic: t.Name, Partition: n}
		if starts[p] > 0 {
			return fmt.Errorf("topic %s: %w: partition %d begins at offset %d (retention.ms is %s); read a copy that still has them, begin with snapshots that include them, %s",
				t.Name, ErrRetention, n, starts[p], t.Configs["retention.ms"], acceptHint)
		}
	}
	return nil
}
