package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/millrace/millrace/streams"
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

Records behind are an upper bound: offsets between may hold none. Owned are the
partitions whose owner was seen within 15 s: one that stopped has none. Behind
each line stands what needs attention.

Example:
  millrace view status --config fines.yaml
`,
		flags: flags.set,
		run: func(ctx context.Context, s *shell, args []string) error {
			asJSON, err := flags.json()
			if err != nil {
				return err
			}
			all, err := s.readStatus(ctx, flags.config, args)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(s.out, all)
			}
			return printStatus(s.out, all, len(args) == 1)
		},
	}
}

// viewStatus is the status of a view as it is printed.
type viewStatus struct {
	View    string           `json:"view"`
	Version int              `json:"version"`
	State   projection.State `json:"state"`
	Live    bool             `json:"live"`
	// LiveVersion is the one that readers see; 0 where there is none yet.
	LiveVersion int               `json:"live_version"`
	Rows        int64             `json:"rows"`
	Behind      *float64          `json:"behind_seconds"` // null where Kafka does not answer
	Lag         *int64            `json:"lag_records_max"`
	Owned       int               `json:"owned_partitions"`
	Note        string            `json:"note,omitempty"`
	Partitions  []partitionStatus `json:"partitions"`
}

// partitionStatus is that of one partition.
type partitionStatus struct {
	Partition string           `json:"partition"`
	State     projection.State `json:"state"`
	Position  int64            `json:"position"`
	// Loading is how far snapshots are loaded, as it stands in Redis.
	Loading string     `json:"loading,omitempty"`
	Mark    *int64     `json:"mark"`
	Stable  *int64     `json:"lso"`
	Behind  *float64   `json:"behind_seconds"`
	Lag     *int64     `json:"lag_records_max"`
	Seen    *time.Time `json:"seen"`
	id      streams.Partition
}

var (
	viewHeader      = []string{"VIEW", "VERSION", "STATE", "ROWS", "BEHIND", "RECORDS BEHIND", "OWNED", ""}
	partitionHeader = []string{"PARTITION", "STATE", "POSITION", "LSO", "BEHIND", "RECORDS BEHIND", "LAST SEEN"}
)

// printStatus prints a line for each view, and one for each partition where they
// are asked for.
func printStatus(out io.Writer, all []viewStatus, partitions bool) error {
	var lines [][]string
	for i := range all {
		lines = append(lines, all[i].line())
	}
	if err := table(out, viewHeader, lines); err != nil || !partitions || len(all[0].Partitions) == 0 {
		return err
	}
	fmt.Fprintln(out)
	return table(out, partitionHeader, all[0].partitionLines())
}

func (v *viewStatus) line() []string {
	owned := fmt.Sprintf("%d of %d", v.Owned, len(v.Partitions))
	return []string{v.View, strconv.Itoa(v.Version), string(v.State), strconv.FormatInt(v.Rows, 10), seconds(v.Behind), atMost(v.Lag), owned, v.Note}
}

func (v *viewStatus) partitionLines() (lines [][]string) {
	for _, p := range v.Partitions {
		position, seen := strconv.FormatInt(p.Position, 10), "never"
		switch {
		case p.Loading != "":
			position = p.Loading
		case p.Position == projection.Absent:
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
	d, unit := time.Duration(*s*float64(time.Second)), time.Millisecond
	if d > time.Minute {
		unit = time.Second
	}
	return d.Round(unit).String()
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
