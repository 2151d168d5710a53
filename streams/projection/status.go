package projection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams"
)

// State is how far a view or one of its partitions is.
type State string

// The states. Building and rebuilding are cold.
const (
	// StateBuilding: a partition has never yet reached the end of its log.
	StateBuilding State = "building"
	// StateRebuilding: it had, and its position went back since.
	StateRebuilding State = "rebuilding"
	// StateHot: every partition has reached the end of its log once. It may lag.
	StateHot State = "hot"
)

// Status is what Redis says of a view version, whether workers live or not.
type Status struct {
	ID ViewID
	// Definition is what the rows were built from; nil where the version does
	// not exist.
	Definition *Definition
	// State is that of the partition which is least far.
	State State
	// Live says that readers use this version.
	Live bool
	// Rows is how many rows there are.
	Rows int64
	// Partitions are those of all topics, in their order.
	Partitions []PartitionStatus
}

// PartitionStatus is what Redis says of one partition of a view version.
type PartitionStatus struct {
	Partition streams.Partition
	State     State
	// Position is [Absent] where the partition has no owner yet, and while it loads
	// snapshots.
	Position int64
	// Loading is how far a partition that loads snapshots is, as it stands in Redis;
	// empty where it does not.
	Loading string
	// Mark is the position that must be reached to be hot, [Absent] where the
	// partition was not hot yet.
	Mark int64
	// Epoch is how often the partition was taken over.
	Epoch int64
	// Seen is when an owner last said that it lives; zero where none did.
	Seen time.Time
}

// ReadStatus reads the status of a view version. One that does not exist is
// building and has no definition.
func ReadStatus(ctx context.Context, client redis.UniversalClient, id ViewID) (Status, error) {
	b, err := readBookkeeping(ctx, client, id)
	if err != nil {
		return Status{}, err
	}
	live, err := readLive(ctx, client, id.liveKey())
	if err != nil {
		return Status{}, err
	}
	s := Status{ID: id, Definition: b.Definition, State: StateHot, Live: live == id.Version, Rows: b.Rows}
	for _, p := range b.partitions() {
		one := b.partition(p)
		s.Partitions = append(s.Partitions, one)
		s.State = least(s.State, one.State)
	}
	if len(s.Partitions) == 0 {
		s.State = StateBuilding
	}
	return s, nil
}

// readLive reads the live version of a view; 0 where there is none.
func readLive(ctx context.Context, client redis.UniversalClient, key string) (int, error) {
	s, err := client.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", key, err)
	}
	version, err := strconv.Atoi(s)
	if err != nil || version < 1 {
		return 0, fmt.Errorf("%s is %q, which is no version: set it to the number of one that is hot", key, s)
	}
	return version, nil
}

// partitions are those that the definition names, in order.
func (b *Bookkeeping) partitions() []streams.Partition {
	if b.Definition == nil {
		return nil
	}
	var ps []streams.Partition
	for _, topic := range slices.Sorted(maps.Keys(b.Definition.Topics)) {
		for n := range b.Definition.Topics[topic].Partitions {
			ps = append(ps, streams.Partition{Topic: topic, Partition: n})
		}
	}
	return ps
}

func (b *Bookkeeping) partition(p streams.Partition) PartitionStatus {
	s := PartitionStatus{Partition: p, State: StateHot, Position: Absent, Mark: Absent, Epoch: b.Epochs[p], Seen: b.Seen[p]}
	if position, ok := b.Positions[p]; ok {
		s.Position = position.Offset
		if position.Loading() {
			s.Loading = position.String()
		}
	}
	mark, marked := b.Marks[p]
	if marked {
		s.Mark = mark
	}
	switch {
	case !marked:
		s.State = StateBuilding
	case s.Position < mark:
		s.State = StateRebuilding
	}
	return s
}

// least returns the state that is less far.
func least(a, b State) State {
	for _, s := range []State{StateBuilding, StateRebuilding} {
		if a == s || b == s {
			return s
		}
	}
	return StateHot
}

// ListViews finds the view versions under a prefix, in order, and the live
// version of each view that has one. It looks at every key of the Redis.
func ListViews(ctx context.Context, client redis.UniversalClient, prefix string) (ids []ViewID, live map[string]int, err error) {
	live = map[string]int{}
	found := map[ViewID]bool{}
	err = scan(ctx, client, globOf(prefix)+"*", func(key string) error {
		rest := strings.TrimPrefix(key, prefix)
		if view, ok := strings.CutPrefix(rest, "view:"); ok {
			live[view], err = readLive(ctx, client, key)
			return err
		}
		name, ok := strings.CutSuffix(rest, "}:"+keyDefinition)
		if id, is := parseViewID(prefix, strings.TrimPrefix(name, "{")); ok && is && strings.HasPrefix(name, "{") {
			found[id] = true
		}
		return nil
	})
	ids = slices.SortedFunc(maps.Keys(found), func(a, b ViewID) int {
		return cmp.Or(cmp.Compare(a.View, b.View), cmp.Compare(a.Version, b.Version))
	})
	return ids, live, err
}

// LiveVersion returns the version of a view that readers use; 0 where there is
// none.
func LiveVersion(ctx context.Context, client redis.UniversalClient, prefix, view string) (int, error) {
	version, err := readLive(ctx, client, ViewID{Prefix: prefix, View: view}.liveKey())
	if err != nil {
		return 0, fmt.Errorf("view %s: reading its live version: %w", view, err)
	}
	return version, nil
}
