package compaction

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/rules"
)

// Config is the `compactor` block of the configuration.
type Config struct {
	// Snapshots are the folds whose states this worker keeps, in the language of
	// package rules.
	Snapshots []yaml.Node `yaml:"snapshots"`
	// FlushStreams flushes a partition when so many of its streams have changed.
	// Default 50000. Larger writes fewer records where streams change often, and
	// has fewer transactions, each of which may cost 50 ms on three brokers.
	FlushStreams int `yaml:"flush_streams"`
	// FlushBytes flushes a partition when the states that have changed are
	// together so large. Default 8MiB. The memory of a flush is about three times
	// that for each partition that flushes.
	FlushBytes streams.Size `yaml:"flush_bytes"`
	// FlushInterval flushes a partition when its first change is so old. Default
	// 5s. Readers of snapshots replay what is younger; shorter writes more
	// records.
	FlushInterval time.Duration `yaml:"flush_interval"`
}

// Compile parses and compiles the folds, and returns all problems at once. Without
// a codec it says what can be seen without, and returns no fold. kinds are the
// folds in Go that the configuration may name.
func (c Config) Compile(codec streams.Codec, topics map[string]kafka.TopicConfig, kinds map[string]Kind) (folds []*Fold, all []streams.Problem) {
	var before []*rules.Fold
	for i := range c.Snapshots {
		parsed, problems := rules.ParseFold(&c.Snapshots[i])
		all = append(all, problems...)
		if parsed == nil {
			continue
		}
		for _, why := range collisions(parsed, before) {
			all = append(all, parsed.Problem(why))
		}
		before = append(before, parsed)
		if codec == nil {
			continue
		}
		fold, problems := Compile(parsed, codec, topics, kinds)
		folds, all = append(folds, fold), append(all, problems...)
	}
	return folds, all
}

// collisions says why a fold cannot stand beside those before it in the file.
func collisions(f *rules.Fold, before []*rules.Fold) (all []string) {
	collide := func(a, b, format string, args ...any) {
		if why := fmt.Sprintf(format, args...); a == b && a != "" && !slices.Contains(all, why) {
			all = append(all, why)
		}
	}
	for _, other := range before {
		collide(f.Name, other.Name, "there is another fold %s; a fold has one definition", f.Name)
		collide(f.To, other.To, "topic %s is written by another fold, too; name another topic by to:", f.To)
		collide(f.To, other.Topic, "topic %s has the events that fold %s reads, which snapshots cannot stand among; name another topic by to:", f.To, other.Name)
		collide(f.Topic, other.To, "topic %s has the snapshots of fold %s, which are no events; name a topic of events, or give fold %[2]s another one by to:", f.Topic, other.Name)
	}
	return all
}

// WithDefaults returns a copy in which every zero is its default.
func (c Config) WithDefaults() Config {
	c.FlushStreams = cmp.Or(c.FlushStreams, 50_000)
	c.FlushBytes = cmp.Or(c.FlushBytes, 8*streams.MiB)
	c.FlushInterval = cmp.Or(c.FlushInterval, 5*time.Second)
	return c
}

const maxFlush = 256 * streams.MiB

// Validate says what is wrong with a configuration that has its defaults.
func (c Config) Validate() error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, streams.FieldErrorf(field, field+" "+format, args...))
	}
	if len(c.Snapshots) == 0 {
		wrong("snapshots", "is empty; a compactor keeps the snapshots of at least one topic")
	}
	if c.FlushStreams < 1 {
		wrong("flush_streams", "is %d; it must be at least 1", c.FlushStreams)
	}
	if c.FlushBytes < streams.MiB {
		wrong("flush_bytes", "is %v; it must be at least 1MiB", c.FlushBytes)
	} else if c.FlushBytes > maxFlush {
		wrong("flush_bytes", "is %v; it must be at most %v, or a transaction may take longer than the 10s after which the broker gives it up", c.FlushBytes, maxFlush)
	}
	if c.FlushInterval < 0 {
		wrong("flush_interval", "is %v; it must not be negative", c.FlushInterval)
	}
	return errors.Join(errs...)
}
