package main

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/compose/compactor"
	"github.com/millrace/millrace/streams/compaction"
)

func snapshotVerifyCommand() *command {
	var config string
	var sample int
	return &command{
		name: "snapshot verify", args: "[FOLD…]", short: "Fold events again and compare them with the snapshots", max: 100,
		long: `Loads the snapshots of a partition, folds its events again from the first one up to
the watermark by the rules of the configuration, and compares state, version and
offset of each stream; one partition after the other, of each FOLD or of all.
Lists the streams that differ, and then exits 1. Workers may go on meanwhile.

All events are read. In memory are the states of a partition twice, or with
--sample those of N of its streams, which are chosen by chance in each run.

Example:
  millrace snapshot verify --config fines.yaml --sample 1000
`,
		flags: func(f *flag.FlagSet) {
			configFlag(f, &config)
			f.IntVar(&sample, "sample", 0, "compare only `N` streams of each partition; all unless said otherwise")
		},
		run: func(ctx context.Context, s *shell, args []string) error {
			if sample < 0 {
				return &usageError{"--sample must not be negative"}
			}
			return s.verify(ctx, config, sample, args)
		},
	}
}

// verify compares the snapshots of folds with their events.
func (s *shell) verify(ctx context.Context, config string, sample int, names []string) error {
	var c compactor.Compactor
	if err := loadFolds(ctx, &c, config); err != nil {
		return err
	}
	folds, err := named(c.Folds, names, func(f *compaction.Fold) string { return f.Name })
	if err != nil {
		return err
	}
	admin, err := compose.AskKafka(ctx, c.Kafka)
	if err != nil {
		return err
	}
	defer admin.Close()
	var wrong []string
	for _, f := range folds {
		v := &verifier{fold: f, kafka: c.Kafka, admin: admin, codec: c.Codec, sample: sample}
		if err := v.run(ctx, s); err != nil {
			return err
		}
		if fmt.Fprint(s.out, v.report()); v.differ > 0 {
			wrong = append(wrong, f.Name)
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("snapshots of %s are not what the events fold to; raise version of the fold, and a compactor takes them anew", strings.Join(wrong, ", "))
	}
	return nil
}
