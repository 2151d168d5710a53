package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
)

// eager and patient are settings under which the cleaner works at once, and
// under which it leaves a topic as it is.
var (
	eager   = map[string]string{"segment.ms": "500", "min.cleanable.dirty.ratio": "0.001", "min.compaction.lag.ms": "0"}
	patient = map[string]string{"segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1", "min.compaction.lag.ms": "600000"}
)

// clean has the broker compact the snapshot topic of a topic until there is
// little more than one record for each stream, and says how many there are.
func clean(ctx context.Context, args []string) (any, error) {
	begun := time.Now()
	settings, err := folds(ctx, "clean", args)
	if err != nil {
		return nil, err
	}
	c, err := client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	scanner, err := kafka.NewScanner(settings.Kafka)
	if err != nil {
		return nil, err
	}
	defer scanner.Close()
	topic := settings.Folds[0].Snapshots
	if err := set(ctx, c, topic, eager); err != nil {
		return nil, err
	}
	var s stored
	for {
		if s, err = count(ctx, scanner, topic); err != nil {
			return nil, err
		}
		if s.Records <= s.Streams+s.Streams/100+partitions {
			break
		}
		if err := roll(ctx, c, scanner, topic); err != nil {
			return nil, err
		}
		select {
		case <-time.After(3 * time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.Seconds = time.Since(begun).Seconds()
	return s, set(ctx, c, topic, patient)
}

func set(ctx context.Context, c *kgo.Client, topic string, settings map[string]string) error {
	var changes []kadm.AlterConfig
	for name, value := range settings {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
	}
	answers, err := kadm.NewClient(c).AlterTopicConfigs(ctx, changes, topic)
	if err != nil {
		return err
	}
	for _, a := range answers {
		if a.Err != nil {
			return fmt.Errorf("setting %s: %w", topic, a.Err)
		}
	}
	return nil
}

// count counts the records of streams, and the streams.
func count(ctx context.Context, scanner *kafka.Scanner, topic string) (stored, error) {
	counts := make([]stored, partitions)
	work, ctx := errgroup.WithContext(ctx)
	for p := range int32(partitions) {
		work.Go(func() error {
			seen := map[string]struct{}{}
			_, err := scanner.Scan(ctx, streams.Partition{Topic: topic, Partition: p}, 0, func(r streams.Record) error {
				if string(r.Key) != snapshot.WatermarkKey {
					counts[p].Records++
					seen[string(r.Key)] = struct{}{}
				}
				return nil
			})
			counts[p].Streams = int64(len(seen))
			return err
		})
	}
	err := work.Wait()
	var all stored
	for _, c := range counts {
		all.Records += c.Records
		all.Streams += c.Streams
	}
	return all, err
}

// roll writes the last watermark of each partition once more: a segment ends when
// something is appended behind its time, and only then it is compacted.
func roll(ctx context.Context, c *kgo.Client, scanner *kafka.Scanner, topic string) error {
	for p := range int32(partitions) {
		var last *kgo.Record
		_, end, err := scanner.Bounds(ctx, streams.Partition{Topic: topic, Partition: p})
		if err != nil {
			return err
		}
		_, err = scanner.Scan(ctx, streams.Partition{Topic: topic, Partition: p}, max(0, end-8), func(r streams.Record) error {
			if string(r.Key) == snapshot.WatermarkKey {
				last = &kgo.Record{Topic: topic, Partition: p, Key: r.Key, Value: r.Value}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if last == nil {
			return fmt.Errorf("%s/%d does not end with a watermark", topic, p)
		}
		if err := c.ProduceSync(ctx, last).FirstErr(); err != nil {
			return err
		}
	}
	return nil
}
