package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/projection"
)

// lagPatience is how long Kafka may take to tell the lag of all views.
const lagPatience = 10 * time.Second

// readStatus reads the status of the views of a configuration, or of one.
func (s *shell) readStatus(ctx context.Context, config string, names []string) ([]viewStatus, error) {
	var p compose.Projector
	declared, err := declaredViews(&p, config)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(declared))
	}
	for _, name := range names {
		if declared[name] == nil {
			return nil, unknownView(name, declared)
		}
	}
	client, err := compose.AskRedis(ctx, p.Redis)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var all []viewStatus
	for _, name := range names {
		v, err := readView(ctx, client, projection.ViewID{Prefix: p.Redis.Prefix, View: name, Version: declared[name].Version})
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	if err := lags(ctx, p.Kafka, all); err != nil {
		fmt.Fprintf(s.err, "how far behind the views are is unknown: %v\n", err)
	}
	noteRetention(&p, all)
	return all, ctx.Err()
}

// readView reads what Redis says of a view.
func readView(ctx context.Context, client redis.UniversalClient, id projection.ViewID) (viewStatus, error) {
	s, err := projection.ReadStatus(ctx, client, id)
	if err != nil {
		return viewStatus{}, err
	}
	v := viewStatus{View: id.View, Version: id.Version, State: s.State, Live: s.Live, Rows: s.Rows}
	if s.Definition == nil {
		v.Note = "no worker has begun it yet"
	}
	for _, p := range s.Partitions {
		one := partitionStatus{Partition: p.Partition.String(), State: p.State, Position: p.Position, id: p.Partition}
		if p.Mark != projection.Absent {
			one.Mark = &p.Mark
		}
		if !p.Seen.IsZero() {
			one.Seen = &p.Seen
			if time.Since(p.Seen) < orphaned {
				v.Owned++
			}
		}
		v.Partitions = append(v.Partitions, one)
	}
	return v, nil
}

// noteRetention notes what stays dangerous for ever: topics whose events Kafka
// may delete.
func noteRetention(p *compose.Projector, all []viewStatus) {
	for i := range all {
		for _, part := range all[i].Partitions {
			if p.Topics[part.id.Topic].AcceptRetention {
				all[i].Note = "gap: Kafka may delete events of " + part.id.Topic
			}
		}
	}
}

// lags adds what Kafka says. Where it does not answer it stays unknown.
func lags(ctx context.Context, cfg kafka.Config, all []viewStatus) error {
	ctx, cancel := context.WithTimeout(ctx, lagPatience)
	defer cancel()
	admin, err := compose.AskKafka(ctx, cfg)
	if err != nil {
		return err
	}
	defer admin.Close()
	behind := behind{cfg, admin}
	for i := range all {
		if len(all[i].Partitions) == 0 {
			continue // nobody has begun it
		}
		if err := behind.add(ctx, &all[i]); err != nil {
			return fmt.Errorf("view %s: %w", all[i].View, err)
		}
	}
	return nil
}
