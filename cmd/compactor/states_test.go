package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/millrace/millrace/internal/importer"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
)

// produce KAFKA FILE writes the JSON lines of a file to the topic orders.
func produce() {
	done(func(ctx context.Context, cfg kafka.Config, codec *avro.Codec) error {
		report, err := importer.Run(ctx, importer.Options{
			Kafka: cfg, Topic: "orders", File: os.Args[2],
			Encoders: func(eventType string) (importer.Encoder, error) { return codec.JSONWriter(eventType) },
		})
		if err == nil && !report.OK() {
			err = fmt.Errorf("%s", report)
		}
		return err
	})
}

// states KAFKA TOPIC prints what a reader has of a snapshot topic of orders, a line
// for each stream, and last how many streams and events that is.
func states() {
	done(func(ctx context.Context, cfg kafka.Config, codec *avro.Codec) error {
		topic, err := snapshot.Open(ctx, cfg, "orders", os.Args[2])
		if err != nil {
			return err
		}
		defer topic.Close()
		lines, versions := map[string]string{}, map[string]int64{}
		for p := range topic.Source.Partitions {
			_, err := snapshot.Resync(ctx, topic, snapshot.Options{Partition: p}, func(r *snapshot.Record) error {
				if r.Watermark != nil {
					return nil
				}
				versions[string(r.Stream)] = r.Version
				lines[string(r.Stream)], err = line(codec, r)
				return err
			})
			if err != nil {
				return err
			}
		}
		events := int64(0)
		for _, stream := range slices.Sorted(maps.Keys(lines)) {
			fmt.Println(stream, lines[stream])
			events += versions[stream]
		}
		fmt.Printf("%d streams, %d events\n", len(lines), events)
		return nil
	})
}

func line(codec *avro.Codec, r *snapshot.Record) (string, error) {
	if r.Gone {
		return fmt.Sprintf("version %d gone", r.Version), nil
	}
	_, data, err := codec.Decode(r.Value)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(data)
	return fmt.Sprintf("version %d %s", r.Version, text), err
}

// done ends the process with what do says. The address of Kafka is the first
// argument.
func done(do func(context.Context, kafka.Config, *avro.Codec) error) {
	codec, err := avro.OpenFolder("schemas")
	if err == nil {
		err = do(context.Background(), kafka.Config{Brokers: []string{os.Args[1]}}, codec)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
