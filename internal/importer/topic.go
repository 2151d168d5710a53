package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/millrace/millrace/streams/kafka"
)

// ensureTopic creates the topic where it does not exist, checks that events stay
// in it, and returns how many partitions it has.
func ensureTopic(ctx context.Context, o *Options) (int32, error) {
	admin, err := kafka.NewAdmin(o.Kafka)
	if err != nil {
		return 0, err
	}
	defer admin.Close()
	topics, err := admin.Topics(ctx, o.Topic)
	n, created := topics[o.Topic].Partitions, false
	switch {
	case errors.Is(err, kafka.ErrNoTopic):
		created = true
		n = cmp.Or(o.Partitions, DefaultPartitions)
		if err := admin.CreateTopic(ctx, kafka.TopicSpec{Name: o.Topic, Partitions: n}); err != nil {
			return 0, err
		}
	case err != nil:
		return 0, fmt.Errorf("asking Kafka at %v for topic %s: %w", o.Kafka.Brokers, o.Topic, err)
	case o.Partitions != 0 && o.Partitions != n:
		return 0, fmt.Errorf("topic %s has %d partitions, not %d; leave --partitions out, or import into a new topic", o.Topic, n, o.Partitions)
	}
	warnings, err := kafka.CheckTopics(ctx, admin, kafka.CheckOptions{
		Topics: map[string]kafka.TopicConfig{o.Topic: o.TopicConfig},
	})
	for _, w := range warnings {
		o.Logger.Warn(w)
	}
	if created && errors.Is(err, kafka.ErrNoTopic) {
		return n, nil // a broker has not heard of it yet
	}
	return n, err
}
