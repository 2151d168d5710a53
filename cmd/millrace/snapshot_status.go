package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/millrace/millrace/streams"
)

func snapshotStatusCommand() *command {
	var flags viewFlags
	return &command{
		name: "snapshot status", args: "[FOLD]", short: "Show how far snapshots are", max: 1,
		long: `Shows the snapshots of each fold of the configuration, and the partitions of FOLD
where one is named: live and gone streams, how many records a reader finds for
each live stream, and how far the watermark is behind the events. All of it is
read from Kafka, so it is there whether a compactor lives or not.

The whole snapshot topic is read, one partition after the other. That takes
about 50 bytes of memory for each stream of a partition, and its ID.
Records behind are an upper bound: offsets between may hold none. Behind each
line stands what needs attention.

Example:
  millrace snapshot status --config fines.yaml
`,
		flags: flags.set,
		run: func(ctx context.Context, s *shell, args []string) error {
			asJSON, err := flags.json()
			if err != nil {
				return err
			}
			all, err := s.readFolds(ctx, flags.config, args)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(s.out, all)
			}
			return printFolds(s.out, all, len(args) == 1)
		},
	}
}

// foldStatus is the status of the snapshots of a fold as it is printed.
type foldStatus struct {
	Fold      string `json:"fold"`
	Version   int    `json:"version"`
	Topic     string `json:"topic"`
	Snapshots string `json:"snapshots"` // the topic that they stand in
	// Digest is that of the last watermark; empty where there is none.
	Digest string `json:"digest"`
	counts
	Behind     *float64          `json:"behind_seconds"`  // null where the snapshots cannot be read
	Lag        *int64            `json:"lag_records_max"` // as is this
	Note       string            `json:"note,omitempty"`
	Partitions []snapshotsStatus `json:"partitions"`
}

// snapshotsStatus is that of one partition.
type snapshotsStatus struct {
	Partition string `json:"partition"`
	Watermark *int64 `json:"watermark"` // null where there is none
	Stable    int64  `json:"lso"`
	counts
	Behind float64 `json:"behind_seconds"`
	Lag    int64   `json:"lag_records_max"`
	id     streams.Partition
	digest string
}

// counts are how much stands in snapshot partitions.
type counts struct {
	Live    int64 `json:"live_streams"`
	Gone    int64 `json:"gone_streams"`
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"` // of their keys and values
}

func (c *counts) add(o counts) {
	c.Live += o.Live
	c.Gone += o.Gone
	c.Records += o.Records
	c.Bytes += o.Bytes
}

// cells are the counts as the tables show them.
func (c *counts) cells() []string {
	ratio := "-"
	if c.Live > 0 {
		ratio = strconv.FormatFloat(float64(c.Records)/float64(c.Live), 'f', 2, 64)
	}
	return []string{strconv.FormatInt(c.Live, 10), strconv.FormatInt(c.Gone, 10), strconv.FormatInt(c.Records, 10), ratio, sizeText(c.Bytes)}
}

// sizeText is a number of bytes for people.
func sizeText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	size, unit := float64(n), 0
	for ; size >= 1024 && unit < len(units)-1; unit++ {
		size /= 1024
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}

var (
	foldHeader      = []string{"FOLD", "VERSION", "LIVE", "GONE", "RECORDS", "PER LIVE STREAM", "SIZE", "BEHIND", "RECORDS BEHIND", ""}
	snapshotsHeader = []string{"PARTITION", "WATERMARK", "LSO", "LIVE", "GONE", "RECORDS", "PER LIVE STREAM", "SIZE", "BEHIND", "RECORDS BEHIND"}
)

// printFolds prints a line for each fold, and one for each partition where they
// are asked for.
func printFolds(out io.Writer, all []foldStatus, partitions bool) error {
	var lines [][]string
	for i := range all {
		f := &all[i]
		line := append([]string{f.Fold, strconv.Itoa(f.Version)}, f.cells()...)
		lines = append(lines, append(line, seconds(f.Behind), atMost(f.Lag), f.Note))
	}
	if err := table(out, foldHeader, lines); err != nil || !partitions || len(all[0].Partitions) == 0 {
		return err
	}
	lines = nil
	for i := range all[0].Partitions {
		p := &all[0].Partitions[i]
		line := append([]string{p.Partition, mark(p.Watermark), strconv.FormatInt(p.Stable, 10)}, p.cells()...)
		lines = append(lines, append(line, seconds(&p.Behind), atMost(&p.Lag)))
	}
	fmt.Fprintln(out)
	return table(out, snapshotsHeader, lines)
}

func mark(watermark *int64) string {
	if watermark == nil {
		return "-"
	}
	return number(watermark)
}
