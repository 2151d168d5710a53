package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	digests := digestsOf(ctx, config)
	var all []viewStatus
	for _, name := range names {
		v, err := readView(ctx, client, projection.ViewID{Prefix: p.Redis.Prefix, View: name, Version: declared[name].Version}, digests[name])
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

// digestsOf returns the digests of the rules, by view; none where they cannot be
// compiled here, without the schemas for instance.
func digestsOf(ctx context.Context, config string) map[string]string {
	var p compose.Projector
	if p.Load(ctx, config) != nil {
		return nil // millrace check tells why
	}
	digests := map[string]string{}
	for _, v := range p.Views {
		digests[v.Name] = v.Digest
	}
	return digests
}

// readView reads what Redis says of a view. An empty digest is not known.
func readView(ctx context.Context, client redis.UniversalClient, id projection.ViewID, digest string) (viewStatus, error) {
	live, err := projection.LiveVersion(ctx, client, id.Prefix, id.View)
	if err != nil {
		return viewStatus{}, err
	}
	s, err := projection.ReadStatus(ctx, client, id)
	if err != nil {
		return viewStatus{}, err
	}
	v := viewStatus{View: id.View, Version: id.Version, State: s.State, Live: s.Live, LiveVersion: live, Rows: s.Rows, Partitions: []partitionStatus{}}
	v.addPartitions(s.Partitions)
	v.noteLoading()
	switch {
	case s.Definition == nil:
		v.note("no worker has begun it yet")
	case digest != "" && digest != s.Definition.Digest:
		v.note("the rows were built by other rules: raise version")
	}
	if live != 0 && !s.Live {
		v.note("readers see version %d", live)
	}
	v.noteIdle()
	return v, nil
}

// note adds what somebody who looks should know.
func (v *viewStatus) note(format string, args ...any) {
	if v.Note != "" {
		v.Note += "; "
	}
	v.Note += fmt.Sprintf(format, args...)
}

func (v *viewStatus) addPartitions(partitions []projection.PartitionStatus) {
	for _, p := range partitions {
		one := partitionStatus{Partition: p.Partition.String(), State: p.State, Position: p.Position, Loading: p.Loading, id: p.Partition}
		if p.Mark != projection.Absent {
			one.Mark = &p.Mark
		}
		if !p.Seen.IsZero() {
			one.Seen = &p.Seen
		}
		if one.owned() {
			v.Owned++
		}
		v.Partitions = append(v.Partitions, one)
	}
}

// noteLoading notes that rows are not yet those of any one moment.
func (v *viewStatus) noteLoading() {
	loading := 0
	for _, p := range v.Partitions {
		if p.Loading != "" {
			loading++
		}
	}
	if loading > 0 {
		v.note("loading snapshots of %s", plural(loading, "partition"))
	}
}

// maxNamed is how many partitions a note names.
const maxNamed = 3

// noteIdle notes partitions that nobody works on.
func (v *viewStatus) noteIdle() {
	var idle []string
	for _, p := range v.Partitions {
		if !p.owned() {
			idle = append(idle, p.Partition)
		}
	}
	which := strings.Join(idle, ", ")
	if len(idle) > maxNamed {
		which = plural(len(idle), "partition")
	}
	if len(idle) > 0 {
		v.note("no owner of %s was seen for %v: stopped, or no worker runs; see its log and /readyz", which, orphaned)
	}
}

// owned says whether an owner was seen lately.
func (p *partitionStatus) owned() bool { return p.Seen != nil && time.Since(*p.Seen) < orphaned }

// noteRetention notes what stays dangerous for ever: topics whose events Kafka
// may delete.
func noteRetention(p *compose.Projector, all []viewStatus) {
	for i := range all {
		for _, part := range all[i].Partitions {
			if part.id.Partition == 0 && p.Topics[part.id.Topic].AcceptRetention {
				all[i].note("gap: Kafka may delete events of %s", part.id.Topic)
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
	var errs []error
	for i := range all {
		if len(all[i].Partitions) == 0 {
			continue // nobody has begun it
		}
		if err := behind.add(ctx, &all[i]); err != nil {
			errs = append(errs, fmt.Errorf("view %s: %w", all[i].View, err))
		}
	}
	return errors.Join(errs...)
}
