package main

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/compaction"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/state"
)

// stored is what stands in memory.
type stored struct {
	rate
	Streams, Records int64
}

// resync loads the snapshots of a topic into memory. Events are those that the
// states include, so that rates can be compared.
func resync(ctx context.Context, args []string) (any, error) {
	begun := time.Now()
	settings, err := folds(ctx, "resync", args)
	if err != nil {
		return nil, err
	}
	fold := settings.Folds[0]
	topic, err := snapshot.Open(ctx, settings.Kafka, fold.Topic, fold.Snapshots)
	if err != nil {
		return nil, err
	}
	defer topic.Close()
	var s stored
	stores := make([]*state.Memory, partitions)
	var events, records atomic.Int64
	loads, ctx := errgroup.WithContext(ctx)
	for p := range int32(partitions) {
		store := state.NewMemory()
		stores[p] = store
		loads.Go(func() error {
			l, err := snapshot.Resync(ctx, topic, snapshot.Options{Partition: p, Digest: fold.Digest}, func(r *snapshot.Record) error {
				if r.Watermark != nil {
					return nil
				}
				return store.Put(r.Stream, r.Entry)
			})
			events.Add(l.Position)
			records.Add(l.Snapshots)
			return err
		})
	}
	if err := loads.Wait(); err != nil {
		return nil, err
	}
	s.Events, s.Records = events.Load(), records.Load()
	return s.measured(begun, stores)
}

// measured completes what was found.
func (s stored) measured(begun time.Time, stores []*state.Memory) (stored, error) {
	s.Seconds = time.Since(begun).Seconds()
	for _, store := range stores {
		s.Streams += int64(store.Len())
	}
	var err error
	s.RSS, err = memory("VmHWM:")
	return s, err
}

// refold folds all events of a topic into memory.
func refold(ctx context.Context, args []string) (any, error) {
	begun := time.Now()
	settings, err := folds(ctx, "refold", args)
	if err != nil {
		return nil, err
	}
	fold := settings.Folds[0]
	reader, err := kafka.NewReader(settings.Kafka, kafka.ReaderOptions{Topics: []string{fold.Topic}})
	if err != nil {
		return nil, err
	}
	stores := make([]*state.Memory, partitions)
	var events atomic.Int64
	work, ctx := errgroup.WithContext(ctx)
	reading, stop := context.WithCancel(ctx)
	defer stop()
	go func() { _ = reader.Run(reading) }() // its feeds say why it ends
	for p := range int32(partitions) {
		store := state.NewMemory()
		stores[p] = store
		replay, err := fold.Replay(partitions, store)
		if err != nil {
			return nil, err
		}
		work.Go(func() error {
			n, err := foldAll(reader.Open(streams.Partition{Topic: fold.Topic, Partition: p}, 0), replay)
			events.Add(n)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	return stored{rate: rate{Events: events.Load()}}.measured(begun, stores)
}

// foldAll folds what a feed brings, up to the stable end.
func foldAll(feed *kafka.Feed, replay *compaction.Replay) (events int64, err error) {
	defer feed.Close()
	for b := range feed.Batches() {
		for i := range b.Records {
			if err := replay.Apply(&b.Records[i]); err != nil {
				return events, err
			}
		}
		events += int64(len(b.Records))
		if b.Next >= b.Stable {
			return events, nil
		}
		b.Release()
	}
	return events, feed.Err()
}
