package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strconv"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/progress"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/kafka"
)

func streamShowCommand() *command {
	var flags viewFlags
	var topic string
	return &command{
		name: "stream show", args: "STREAM", short: "Show the events of one stream", min: 1, max: 1,
		long: `Reads the partition of the stream from its start to the last stable offset and
prints the stream's events in order, decoded, with their offsets. A record that
cannot be decoded is shown as what it is, and why.

Example:
  millrace stream show --config fines.yaml --topic fines fine-S38735
`,
		flags: func(f *flag.FlagSet) {
			flags.set(f)
			f.StringVar(&topic, "topic", "", "the `TOPIC` of the stream")
		},
		run: func(ctx context.Context, s *shell, args []string) error {
			asJSON, err := flags.json()
			if err != nil {
				return err
			}
			if topic == "" {
				return &usageError{"--topic is missing"}
			}
			id, err := streams.ParseStreamID(args[0])
			if err != nil {
				return &usageError{err.Error()}
			}
			return showStream(ctx, s, flags.config, asJSON, streamOf{topic, id})
		},
	}
}

// streamOf is a stream of a topic.
type streamOf struct {
	topic string
	id    streams.StreamID
}

func showStream(ctx context.Context, s *shell, config string, asJSON bool, stream streamOf) error {
	var shared compose.Shared
	codec, err := shared.LoadCodec(config)
	if err != nil {
		return err
	}
	display := progress.New(s.err)
	lines, err := stream.read(ctx, &shared, func(r *streams.Record) shownEvent { return show(codec, r) }, display)
	display.Clear()
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return fmt.Errorf("topic %s has no stream %s", stream.topic, stream.id)
	}
	if asJSON {
		for _, l := range lines {
			if err := printJSON(s.out, l); err != nil {
				return err
			}
		}
		return nil
	}
	return printEvents(s.out, lines)
}

// shownEvent is one event as it is printed.
type shownEvent struct {
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	Version   int64  `json:"version"`
	Type      string `json:"type"`
	Time      string `json:"time"`
	ID        string `json:"id"`
	Source    string `json:"source"`
	Data      any    `json:"data,omitempty"`
	Error     string `json:"error,omitempty"`
}

func show(codec *avro.Codec, r *streams.Record) shownEvent {
	e, err := streams.ParseEvent(r)
	shown := shownEvent{Partition: r.Partition, Offset: r.Offset, Type: e.Type, Time: e.Time, ID: e.ID, Source: e.Source}
	if err == nil {
		shown.Version, err = e.Version()
	}
	if err == nil {
		_, shown.Data, err = codec.Decode(r.Value)
	}
	if err != nil {
		shown.Error = err.Error()
	}
	return shown
}

func printEvents(out io.Writer, events []shownEvent) error {
	var lines [][]string
	for _, e := range events {
		data := "! " + e.Error
		if e.Error == "" {
			text, err := json.Marshal(e.Data)
			if err != nil {
				return fmt.Errorf("printing the event at offset %d: %w", e.Offset, err)
			}
			data = string(text)
		}
		at := fmt.Sprintf("%d/%d", e.Partition, e.Offset)
		lines = append(lines, []string{at, strconv.FormatInt(e.Version, 10), e.Type, e.Time, data})
	}
	return table(out, []string{"OFFSET", "VERSION", "TYPE", "TIME", "DATA"}, lines)
}

// read returns the events of the stream up to the last stable offsets. It looks
// into every partition where any of them may hold the stream.
func (s streamOf) read(ctx context.Context, shared *compose.Shared, show func(*streams.Record) shownEvent, display *progress.Display) ([]shownEvent, error) {
	admin, err := compose.AskKafka(ctx, shared.Kafka)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	topics, err := admin.Topics(ctx, s.topic)
	if err != nil {
		return nil, err
	}
	starts, err := admin.StartOffsets(ctx, s.topic)
	if err != nil {
		return nil, err
	}
	ends, err := admin.StableOffsets(ctx, s.topic)
	if err != nil {
		return nil, err
	}
	var events []shownEvent
	err = withReader(ctx, shared.Kafka, []string{s.topic}, func(ctx context.Context, reader *kafka.Reader) error {
		for p := range topics[s.topic].Partitions {
			id := streams.Partition{Topic: s.topic, Partition: p}
			if shared.Topics[s.topic].Partitioner != kafka.PartitionerAny && p != streams.PartitionOf([]byte(s.id), topics[s.topic].Partitions) {
				continue
			}
			err := scan(ctx, reader.Open(id, starts[id]), ends[id], func(r *streams.Record, next int64) {
				if r != nil && string(r.Key) == string(s.id) {
					events = append(events, show(r))
				}
				if next < ends[id] {
					display.Set("reading "+id.String(), next-starts[id], ends[id]-starts[id], "")
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return events, err
}

// scan hands over every record before end, and a nil one where only the
// position moves.
func scan(ctx context.Context, feed *kafka.Feed, end int64, each func(r *streams.Record, next int64)) error {
	defer feed.Close()
	for next := int64(0); next < end; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case batch, ok := <-feed.Batches():
			if !ok {
				return feed.Err()
			}
			for i := range batch.Records {
				if r := &batch.Records[i]; r.Offset < end {
					each(r, r.Offset+1)
				}
			}
			next = batch.Next
			each(nil, next)
			batch.Release()
		}
	}
	return nil
}
