package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/projection"
)

// orphaned is how long no owner may have been seen before a partition counts as
// nobody's: owners say that they live every 5 s.
const orphaned = 15 * time.Second

func viewStatusCommand() *command {
	var flags viewFlags
	return &command{
		name: "view status", args: "[VIEW]", short: "Show how far views are", max: 1,
		long: `Shows version, state, rows and lag of each view of the configuration, and the
partitions of VIEW where one is named. All of it is read from Redis and Kafka,
so it is there whether workers live or not.

  building    a partition has never yet reached the end of its log
  rebuilding  it had, and its position went back since
  hot         every partition has reached the end once; it may lag
  gap         that Kafka may delete events of the topic (accept_retention)

Records behind are an upper bound: offsets between may hold none.

Example:
  millrace view status --config fines.yaml
`,
		flags: flags.set,
		run: func(ctx context.Context, s *shell, args []string) error {
			asJSON, err := flags.json()
			if err != nil {
				return err
			}
			all, err := readStatus(ctx, flags.config, args)
			switch {
			case err != nil:
				return err
			case asJSON:
				return printJSON(s.out, all)
			case len(args) == 1:
				return table(s.out, partitionHeader, all[0].partitionLines())
			}
			var lines [][]string
			for _, v := range all {
				lines = append(lines, v.line())
			}
			return table(s.out, viewHeader, lines)
		},
	}
}

// viewStatus is the status of a view as it is printed.
type viewStatus struct {
	View       string            `json:"view"`
	Version    int               `json:"version"`
	State      projection.State  `json:"state"`
	Live       bool              `json:"live"`
	Rows       int64             `json:"rows"`
	Behind     *float64          `json:"behind_seconds"` // null where Kafka does not answer
	Lag        *int64            `json:"lag_records_max"`
	Owned      int               `json:"owned_partitions"`
	Note       string            `json:"note,omitempty"`
	Partitions []partitionStatus `json:"partitions"`
}

// partitionStatus is that of one partition.
type partitionStatus struct {
	Partition string           `json:"partition"`
	State     projection.State `json:"state"`
	Position  int64            `json:"position"`
	Mark      *int64           `json:"mark"`
	Stable    *int64           `json:"lso"`
	Behind    *float64         `json:"behind_seconds"`
	Lag       *int64           `json:"lag_records_max"`
	Seen      *time.Time       `json:"seen"`
	id        streams.Partition
}

var (
	viewHeader      = []string{"VIEW", "VERSION", "STATE", "ROWS", "BEHIND", "RECORDS BEHIND", "OWNED", ""}
	partitionHeader = []string{"PARTITION", "STATE", "POSITION", "LSO", "BEHIND", "RECORDS BEHIND", "LAST SEEN"}
)

func (v *viewStatus) line() []string {
	owned := fmt.Sprintf("%d of %d", v.Owned, len(v.Partitions))
	return []string{v.View, strconv.Itoa(v.Version), string(v.State), strconv.FormatInt(v.Rows, 10), seconds(v.Behind), atMost(v.Lag), owned, v.Note}
}

func (v *viewStatus) partitionLines() (lines [][]string) {
	for _, p := range v.Partitions {
		position, seen := strconv.FormatInt(p.Position, 10), "never"
		if p.Position == projection.Absent {
			position = "-"
		}
		if p.Seen != nil {
			seen = time.Since(*p.Seen).Round(time.Second).String() + " ago"
		}
		lines = append(lines, []string{p.Partition, string(p.State), position, number(p.Stable), seconds(p.Behind), atMost(p.Lag), seen})
	}
	return lines
}

func seconds(s *float64) string {
	if s == nil {
		return "?"
	}
	return (time.Duration(*s * float64(time.Second))).Round(time.Millisecond).String()
}

func number(n *int64) string {
	if n == nil {
		return "?"
	}
	return strconv.FormatInt(*n, 10)
}

func atMost(n *int64) string {
	if n == nil || *n == 0 {
		return number(n)
	}
	return "<=" + number(n)
}

// readStatus reads the status of the views of a configuration, or of one.
func readStatus(ctx context.Context, config string, names []string) ([]viewStatus, error) {
	var p compose.Projector
	if err := p.LoadBlocks(config); err != nil {
		return nil, err
	}
	declared, err := declaredViews(&p)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(declared))
	}
	client, err := projection.OpenRedis(p.Redis)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var all []viewStatus
	for _, name := range names {
		if declared[name] == 0 {
			return nil, unknownView(name, declared)
		}
		v, err := readView(ctx, client, projection.ViewID{Prefix: p.Redis.Prefix, View: name, Version: declared[name]})
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	lags(ctx, p.Kafka, all)
	return all, accepted(&p, all)
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

// accepted notes what stays dangerous for ever: topics whose events Kafka may
// delete.
func accepted(p *compose.Projector, all []viewStatus) error {
	for i := range all {
		for _, part := range all[i].Partitions {
			if p.Topics[part.id.Topic].AcceptRetention {
				all[i].Note = "gap: Kafka may delete events of " + part.id.Topic
			}
		}
	}
	return nil
}

// lags adds what Kafka says. A Kafka that does not answer leaves it unknown.
func lags(ctx context.Context, cfg kafka.Config, all []viewStatus) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	behind, err := newBehind(cfg)
	if err != nil {
		return
	}
	defer behind.close()
	for i := range all {
		if err := behind.add(ctx, &all[i]); err != nil {
			all[i].Note = "kafka does not answer: " + err.Error()
			return
		}
	}
}
