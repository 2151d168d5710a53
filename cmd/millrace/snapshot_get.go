package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/compose/compactor"
	"github.com/millrace/millrace/internal/progress"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/rules"
	"github.com/millrace/millrace/streams/snapshot"
)

func snapshotGetCommand() *command {
	var flags viewFlags
	var fold string
	return &command{
		name: "snapshot get", args: "STREAM", short: "Show the snapshot of one stream", min: 1, max: 1,
		long: `Reads the partition of the stream in the snapshot topic and prints its state, the
version of the stream, and the offset of the last event that is in it. Events
behind the watermark are in no snapshot yet. Exits 1 if there is none.

Example:
  millrace snapshot get --config fines.yaml fine-S38735
`,
		flags: func(f *flag.FlagSet) {
			flags.set(f)
			f.StringVar(&fold, "fold", "", "the fold `NAME`, where the configuration has several")
		},
		run: func(ctx context.Context, s *shell, args []string) error {
			asJSON, err := flags.json()
			if err != nil {
				return err
			}
			id, err := streams.ParseStreamID(args[0])
			if err != nil {
				return &usageError{err.Error()}
			}
			shown, err := s.getSnapshot(ctx, flags.config, fold, id)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(s.out, shown)
			}
			lines, err := shown.lines()
			if err != nil {
				return err
			}
			return table(s.out, nil, lines)
		},
	}
}

// getSnapshot reads the snapshot of a stream.
func (s *shell) getSnapshot(ctx context.Context, config, fold string, stream streams.StreamID) (*shownSnapshot, error) {
	var c compactor.Compactor
	f, err := oneFold(&c, config, fold)
	if err != nil {
		return nil, err
	}
	codec, err := new(compose.Shared).LoadCodec(config)
	if err != nil {
		return nil, err
	}
	admin, err := compose.AskKafka(ctx, c.Kafka)
	if err != nil {
		return nil, err
	}
	admin.Close()
	topic, err := openSnapshots(ctx, c.Kafka, f.Topic, f.To)
	if err != nil {
		return nil, err
	}
	defer topic.Close()
	return readSnapshot(ctx, topic, codec, stream, progress.New(s.err))
}

// oneFold returns the fold of that name, or the only one.
func oneFold(c *compactor.Compactor, config, name string) (*rules.Fold, error) {
	var names []string
	if name != "" {
		names = append(names, name)
	}
	folds, err := declaredFolds(c, config, names...)
	if err != nil {
		return nil, err
	}
	if len(folds) > 1 {
		return nil, &usageError{fmt.Sprintf("%s has %s; name one of them with --fold", config, plural(len(folds), "fold"))}
	}
	return folds[0], nil
}

// shownSnapshot is a snapshot as it is printed.
type shownSnapshot struct {
	Stream    string `json:"stream"`
	Version   int64  `json:"version"`
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Watermark int64  `json:"watermark"`
	Gone      bool   `json:"gone"`
	State     any    `json:"state"`
}

// readSnapshot reads the partition of a stream. Of several records the last one
// counts.
func readSnapshot(ctx context.Context, topic *snapshot.Topic, codec *avro.Codec, stream streams.StreamID, display *progress.Display) (*shownSnapshot, error) {
	p := streams.PartitionOf([]byte(stream), topic.Source.Partitions)
	var last *snapshot.Record
	loaded, err := snapshot.Resync(ctx, topic, snapshot.Options{Partition: p, Progress: func(at snapshot.Progress) {
		if at.Position < at.End {
			display.Set("reading "+topic.Partition(p).String(), at.Position, at.End, "")
		}
	}}, func(r *snapshot.Record) error {
		if string(r.Stream) == string(stream) {
			last = r
		}
		return nil
	})
	display.Clear()
	if err != nil {
		return nil, err
	}
	if last == nil || last.Forgotten {
		return nil, fmt.Errorf("topic %s has no snapshot of stream %s; events of %s/%d from offset %d on, if there are any, are in none yet, see millrace stream show",
			topic.Name, stream, topic.Source.Topic, p, loaded.Position)
	}
	shown := &shownSnapshot{
		Stream: string(stream), Version: last.Version, Topic: topic.Source.Topic, Partition: p,
		Offset: last.Offset, Watermark: loaded.Position, Gone: last.Gone,
	}
	if !last.Gone {
		if _, shown.State, err = codec.Decode(last.Value); err != nil {
			return nil, fmt.Errorf("decoding the state of %s: %w", stream, err)
		}
	}
	return shown, nil
}

func (s *shownSnapshot) lines() ([][]string, error) {
	state, err := stateText(s.Gone, s.State)
	return [][]string{
		{"stream", s.Stream},
		{"version", strconv.FormatInt(s.Version, 10)},
		{"partition", streams.Partition{Topic: s.Topic, Partition: s.Partition}.String()},
		{"offset", strconv.FormatInt(s.Offset, 10)},
		{"watermark", strconv.FormatInt(s.Watermark, 10)},
		{"state", state},
	}, err
}
