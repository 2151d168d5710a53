package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

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
			o.File, o.Input, o.Partitions = args[0], s.in, int32(partitions)
			return s.importFile(ctx, config, infer, o)
		},
	}
}

func (s *shell) importFile(ctx context.Context, config, infer string, o importer.Options) error {
	var shared compose.Shared
	if err := shared.Load(config); err != nil {
		return err
	}
	folder := cmp.Or(infer, shared.Schemas.Folder)
	if infer != "" {
		if err := s.infer(ctx, o.File, infer); err != nil {
			return err
		}
	}
	codec, err := avro.OpenFolder(folder)
	if err != nil {
		return err
	}
	o.Kafka, o.TopicConfig = shared.Kafka, shared.Topics[o.Topic]
	o.Encoders = func(eventType string) (importer.Encoder, error) { return codec.Writer(eventType) }
	display := progress.New(s.err)
	o.Progress = func(p importer.Progress) {
		note := fmt.Sprintf("%d lines, %d written, %d already there, %d failed", p.Lines, p.Written, p.Present, p.Failed)
		display.Set("import", p.Read, p.Size, note)
	}
	report, err := importer.Run(ctx, o)
	display.Close()
	fmt.Fprint(s.out, report)
	if err != nil {
		return err
	}
	if !report.OK() {
		return errReported
	}
	return nil
}

// infer writes the schemas that a file needs and says what was decided.
func (s *shell) infer(ctx context.Context, file, folder string) error {
	if file == importer.Stdin {
		return &usageError{"--infer reads the file twice, so it cannot be the standard input"}
	}
	result, err := importer.Infer(ctx, file, folder)
	if err != nil {
		return err
	}
	fmt.Fprint(s.out, result)
	return nil
}

// configFlag is the flag that every command with a configuration has.
func configFlag(f *flag.FlagSet, config *string) {
	f.StringVar(config, "config", cmp.Or(os.Getenv("MILLRACE_CONFIG"), "millrace.yaml"), "the configuration `FILE`")
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, strings.TrimSuffix(one, "s"))
}
