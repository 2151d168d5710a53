package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/importer"
	"github.com/millrace/millrace/internal/progress"
	"github.com/millrace/millrace/streams/avro"
)

func importCommand() *command {
	var config, infer string
	var o importer.Options
	var partitions int
	return &command{
		name: "import", args: "FILE", short: "Write JSON lines as events to a topic", min: 1, max: 1,
		long: `Reads FILE, one event a line, plain or .gz ("-" is the standard input), and
writes it to the topic, keyed by stream, in order:

  {"stream":"fine-S1","version":1,"type":"FineCreated","time":"2000-01-01T00:00:00+01:00","data":{...}}

A line whose version the topic has already is skipped, so a second run, also
after a kill half-way, doubles nothing and completes. A line that cannot be
written holds back the later lines of its stream, and of no other.

Examples:
  millrace import --config fines.yaml --topic fines fines.jsonl.gz
  millrace import --config fines.yaml --topic fines --infer schemas/ fines.jsonl.gz
`,
		flags: func(f *flag.FlagSet) {
			configFlag(f, &config)
			f.StringVar(&o.Topic, "topic", "", "`TOPIC` to write to; created where it is missing")
			f.IntVar(&partitions, "partitions", 0, "`N` partitions of a new topic; 12 unless said otherwise")
			f.StringVar(&infer, "infer", "", "first write the Avro schemas that the file needs to `FOLDER`; none is overwritten")
			f.StringVar(&o.Source, "source", importer.DefaultSource, "`URI` of who emitted the events")
		},
		run: func(ctx context.Context, s *shell, args []string) error {
			if o.Topic == "" {
				return &usageError{"--topic is missing"}
			}
			if err := checkPartitions(partitions, 0); err != nil {
				return err
			}
			if infer != "" && args[0] == importer.Stdin {
				return &usageError{"--infer reads the file twice, so it cannot be the standard input"}
			}
			o.File, o.Input, o.Partitions = args[0], s.in, int32(partitions)
			return s.importFile(ctx, config, infer, o)
		},
	}
}

func (s *shell) importFile(ctx context.Context, config, infer string, o importer.Options) error {
	var shared compose.Shared
	codec, err := s.schemas(ctx, &shared, config, infer, o.File)
	if err != nil {
		return err
	}
	if _, err := os.Stat(o.File); o.File != importer.Stdin && err != nil {
		return fmt.Errorf("opening the events: %w", err)
	}
	admin, err := compose.AskKafka(ctx, shared.Kafka)
	if err != nil {
		return err
	}
	admin.Close()
	o.Kafka, o.TopicConfig = shared.Kafka, shared.Topics[o.Topic]
	o.Encoders = func(eventType string) (importer.Encoder, error) { return codec.JSONWriter(eventType) }
	display := progress.New(s.err)
	o.Progress = func(p importer.Progress) { display.Set("import", p.Read, p.Size, importNote(p)) }
	o.Logger = messages(display)
	report, err := importer.Run(ctx, o)
	display.Close()
	if err == nil || report.Lines > 0 {
		fmt.Fprint(s.out, report)
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted; what was not written yet follows when it is run again")
	case err != nil:
		return err
	case !report.OK():
		return errReported
	}
	return nil
}

// schemas returns the schemas of the events: those of the configuration, or
// those of the folder that they are inferred to.
func (s *shell) schemas(ctx context.Context, shared *compose.Shared, config, infer, file string) (*avro.Codec, error) {
	if infer == "" {
		return shared.LoadCodec(config)
	}
	if err := shared.Load(config); err != nil {
		return nil, err
	}
	if err := s.infer(ctx, file, infer); err != nil {
		return nil, err
	}
	return avro.OpenFolder(infer)
}

// importNote is what stands behind the bar.
func importNote(p importer.Progress) string {
	if p.Lines == 0 && p.Loaded > 0 {
		return fmt.Sprintf("looking at what the topic holds: %d events", p.Loaded)
	}
	note := fmt.Sprintf("%d lines, %d written", p.Lines, p.Written)
	if p.Present > 0 {
		note += fmt.Sprintf(", %d already there", p.Present)
	}
	if p.Failed > 0 {
		note += fmt.Sprintf(", %d failed", p.Failed)
	}
	return note
}

// infer writes the schemas that a file needs and says what was decided.
func (s *shell) infer(ctx context.Context, file, folder string) error {
	result, err := importer.Infer(ctx, file, folder)
	if err != nil {
		return err
	}
	fmt.Fprint(s.out, result)
	return nil
}
