package importer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/millrace/millrace/streams/kafka"
)

const (
	// Stdin is the name of the standard input as a file.
	Stdin = "-"
	// DefaultPartitions is how many partitions a new topic gets.
	DefaultPartitions = 12
	// DefaultSource is who emitted the events: header ce_source.
	DefaultSource = "millrace/import"
)

// Encoder turns the data of a line into the value of a record. It is used by
// one goroutine at a time.
type Encoder interface {
	// EncodeJSON appends the value to dst. An error says what of the data does
	// not fit.
	EncodeJSON(dst []byte, data json.RawMessage) ([]byte, error)
}

// Encoders returns a new encoder of an event type. It is used by several
// goroutines at a time.
type Encoders func(eventType string) (Encoder, error)

// Options is what to import, and into what.
type Options struct {
	Kafka kafka.Config
	// Topic is created where it does not exist. Required.
	Topic string
	// TopicConfig is what the configuration says about the topic.
	TopicConfig kafka.TopicConfig
	// Partitions of the topic. Default: as many as the topic has; 12 where it is
	// created. An existing topic with another number is an error.
	Partitions int32
	// File is a file of JSON lines, plain or compressed by gzip; "-" reads
	// Input. Required.
	File string
	// Input is what "-" reads. Default: the standard input. Where an import is
	// broken off while a read of it blocks, that read goes on after Run.
	Input io.Reader
	// Encoders encode the data. Required.
	Encoders Encoders
	// Source is who emitted the events, a URI reference. Default:
	// millrace/import.
	Source string
	// Progress is called about five times a second and once at the end, by one
	// goroutine at a time. Default: nobody is told.
	Progress func(Progress)
	// Logger is told when Kafka is waited for. Default: nobody is told.
	Logger *slog.Logger

	// batchEvents is the most that a transaction writes; tests want less.
	batchEvents int
}

// Progress is how far an import has come.
type Progress struct {
	// Read and Size count bytes of the file, compressed where it is. Size is 0
	// where nobody knows.
	Read, Size int64
	// Loaded is how many records of the topic were read to learn what it holds.
	Loaded int64
	Lines  int64
	// Written and Present count as in [Report].
	Written, Present int64
	// Failed counts failed lines and those held back behind them.
	Failed int64
}

const progressInterval = 200 * time.Millisecond

func (o Options) withDefaults() Options {
	o.Kafka = o.Kafka.WithDefaults()
	o.Source = cmp.Or(o.Source, DefaultSource)
	o.batchEvents = cmp.Or(o.batchEvents, batchEvents)
	if o.Input == nil {
		o.Input = os.Stdin
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) validate() error {
	var errs []error
	if o.Topic == "" {
		errs = append(errs, errors.New("the topic is missing; name it with --topic"))
	}
	if o.File == "" {
		errs = append(errs, errors.New("the file of events is missing; - is the standard input"))
	}
	if o.Encoders == nil {
		errs = append(errs, errors.New("the schemas of the events are missing"))
	}
	if o.Partitions < 0 {
		errs = append(errs, fmt.Errorf("%d partitions are not possible; leave --partitions out for %d", o.Partitions, DefaultPartitions))
	}
	return errors.Join(append(errs, o.Kafka.Validate())...)
}
