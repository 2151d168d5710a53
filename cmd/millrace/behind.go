package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/projection"
)

// behind measures how far positions are behind the log.
type behind struct {
	cfg   kafka.Config
	admin *kafka.Admin
}

// add fills in the lag of a view and its partitions.
func (b *behind) add(ctx context.Context, v *viewStatus) error {
	topics := map[string]bool{}
	for _, p := range v.Partitions {
		topics[p.id.Topic] = true
	}
	names := slices.Collect(maps.Keys(topics))
	stable, err := b.admin.StableOffsets(ctx, names...)
	if err != nil {
		return err
	}
	first, err := b.admin.StartOffsets(ctx, names...)
	if err != nil {
		return err
	}
	waiting := map[streams.Partition]int64{}
	for _, p := range v.Partitions {
		if from := p.from(first); from < stable[p.id] {
			waiting[p.id] = from
		}
	}
	stamps, err := b.stamps(ctx, waiting)
	if err != nil {
		return err
	}
	v.fill(stable, first, stamps, time.Now())
	return nil
}

// from is where the next event may be. A partition that has no position, since it
// loads snapshots or nobody has begun it, has all before it that there is.
func (p *partitionStatus) from(first map[streams.Partition]int64) int64 {
	if p.Position == projection.Absent {
		return first[p.id]
	}
	return p.Position
}

// fill computes the lag from LSOs, the first offsets, and the timestamps of the
// first records that wait.
func (v *viewStatus) fill(stable, first map[streams.Partition]int64, stamps map[streams.Partition]time.Time, now time.Time) {
	var records int64
	var oldest float64
	for i := range v.Partitions {
		p := &v.Partitions[i]
		lso := stable[p.id]
		lag := max(0, lso-p.from(first))
		age := 0.0
		if at, ok := stamps[p.id]; ok {
			age = max(0, now.Sub(at).Seconds())
		}
		p.Stable, p.Lag, p.Behind = &lso, &lag, &age
		if p.Position > lso { // it was read before the LSO
			v.note("%s is beyond the end of the log: Kafka has lost events", p.Partition)
		}
		records += lag
		oldest = max(oldest, age)
	}
	v.Lag, v.Behind = &records, &oldest
}

// stamps reads the broker timestamp of the first record at or behind each
// position. A partition without one (only markers wait) is left out.
func (b *behind) stamps(ctx context.Context, positions map[streams.Partition]int64) (map[streams.Partition]time.Time, error) {
	stamps := map[streams.Partition]time.Time{}
	if len(positions) == 0 {
		return stamps, nil
	}
	var topics []string
	for p := range positions {
		topics = append(topics, p.Topic)
	}
	err := withReader(ctx, b.cfg, topics, func(ctx context.Context, reader *kafka.Reader) error {
		for p, from := range positions {
			feed := reader.Open(p, from)
			at, err := firstStamp(ctx, feed)
			feed.Close()
			if err != nil {
				return err
			}
			if !at.IsZero() {
				stamps[p] = at
			}
		}
		return nil
	})
	return stamps, err
}

func firstStamp(ctx context.Context, feed *kafka.Feed) (time.Time, error) {
	for {
		select {
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case batch, ok := <-feed.Batches():
			switch {
			case !ok:
				return time.Time{}, feed.Err()
			case len(batch.Records) > 0:
				return batch.Records[0].Timestamp, nil
			case batch.Next >= batch.Stable:
				return time.Time{}, nil
			}
		}
	}
}

// withReader runs a reader for as long as do takes.
func withReader(ctx context.Context, cfg kafka.Config, topics []string, do func(context.Context, *kafka.Reader) error) error {
	reader, err := kafka.NewReader(cfg, kafka.ReaderOptions{Topics: topics})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		// its error reaches every feed
		_ = reader.Run(ctx)
	}()
	err = do(ctx, reader)
	cancel()
	<-done
	return err
}
