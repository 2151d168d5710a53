package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/millrace/millrace/internal/progress"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/compaction"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/state"
)

// verifier compares the snapshots of a fold with its events.
type verifier struct {
	fold   *compaction.Fold
	kafka  kafka.Config
	admin  *kafka.Admin
	codec  *avro.Codec
	sample int // streams of each partition; 0: all

	topic   *snapshot.Topic
	scanner *kafka.Scanner
	show    func(offsets int64, note string)

	partitions, streams, differ int64
	differences                 []string // the first ones
}

// maxDifferences is how many streams a report shows that differ; all are counted.
const maxDifferences = 20

// run compares one partition after the other.
func (v *verifier) run(ctx context.Context, s *shell) (err error) {
	if v.topic, err = openSnapshots(ctx, v.kafka, v.fold.Topic, v.fold.Snapshots); err != nil {
		return err
	}
	defer v.topic.Close()
	if v.scanner, err = kafka.NewScanner(v.kafka); err != nil {
		return err
	}
	defer v.scanner.Close()
	stable, err := v.admin.StableOffsets(ctx, v.fold.Topic)
	if err != nil {
		return err
	}
	var done, total int64
	for _, offset := range stable {
		total += offset
	}
	display := progress.New(s.err)
	defer display.Clear()
	v.show = func(offsets int64, note string) {
		if done+offsets < total {
			display.Set("verifying "+v.fold.Name, done+offsets, total, note)
		}
	}
	for n := range v.topic.Source.Partitions {
		p := streams.Partition{Topic: v.fold.Topic, Partition: n}
		if err := v.partition(ctx, p); err != nil {
			return fmt.Errorf("fold %s: %w", v.fold.Name, err)
		}
		done += stable[p]
		v.partitions++
	}
	return nil
}

// comparison is one partition in two ways.
type comparison struct {
	*sample
	snapshots, events *state.Memory
}

func newComparison(size int) *comparison {
	c := &comparison{snapshots: state.NewMemory(), events: state.NewMemory()}
	c.sample = newSample(size, func(stream []byte) {
		_ = c.snapshots.Delete(stream) // in memory this cannot fail
		_ = c.events.Delete(stream)
	})
	return c
}

func (v *verifier) partition(ctx context.Context, p streams.Partition) error {
	c := newComparison(v.sample)
	watermark, err := v.load(ctx, p, c)
	if err != nil {
		return err
	}
	replay, err := v.fold.Replay(v.topic.Source.Partitions, c.events)
	if err != nil {
		return err
	}
	if err := v.replay(ctx, p, watermark, func(r *streams.Record) error {
		if !c.has(r.Key) {
			return nil
		}
		return replay.Apply(r)
	}); err != nil {
		return err
	}
	return v.compare(p, c, replay.Same)
}

// load loads the snapshots and returns the watermark.
func (v *verifier) load(ctx context.Context, p streams.Partition, c *comparison) (int64, error) {
	loaded, err := snapshot.Resync(ctx, v.topic, snapshot.Options{Partition: p.Partition, Progress: func(at snapshot.Progress) {
		v.show(0, fmt.Sprintf("loading snapshots: %d of %d", at.Position, at.End))
	}}, func(r *snapshot.Record) error {
		switch {
		case r.Watermark != nil || !c.has(r.Stream):
			return nil
		case r.Forgotten:
			return c.snapshots.Delete(r.Stream)
		}
		return c.snapshots.Put(r.Stream, r.Entry)
	})
	if err == nil && loaded.Digest != "" && loaded.Digest != v.fold.Digest {
		err = errors.New("the snapshots were folded by other rules than those of the configuration; verify them with the rules that they were folded by, or raise version")
	}
	return loaded.Position, err
}

// errEnough ends a scan at the watermark.
var errEnough = errors.New("enough")

// replay hands over every event before the watermark.
func (v *verifier) replay(ctx context.Context, p streams.Partition, watermark int64, fn func(*streams.Record) error) error {
	first, _, err := v.scanner.Bounds(ctx, p)
	if err != nil {
		return err
	}
	if first > 0 {
		return fmt.Errorf("%s begins at offset %d: without the events before it nobody can fold the states again", p, first)
	}
	_, err = v.scanner.Scan(ctx, p, 0, func(r streams.Record) error {
		if r.Offset >= watermark {
			return errEnough
		}
		if r.Offset%1000 == 0 {
			v.show(r.Offset, "folding events")
		}
		return fn(&r)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// compare compares what is known of every stream.
func (v *verifier) compare(p streams.Partition, c *comparison, equal func(a, b []byte) (bool, error)) error {
	for stream, events := range c.events.All() {
		v.streams++
		snapshots, known, err := c.snapshots.Get(stream)
		if err != nil {
			return err
		}
		same := known && snapshots.Gone == events.Gone && snapshots.Version == events.Version && snapshots.Offset == events.Offset
		if same {
			if same, err = equal(snapshots.Value, events.Value); err != nil {
				return fmt.Errorf("stream %s in %s: %w", stream, p, err)
			}
		}
		if !same {
			v.differs(p, stream, v.text(snapshots, known), v.text(events, true))
		}
	}
	for stream, snapshots := range c.snapshots.All() {
		if _, known, _ := c.events.Get(stream); !known { // in memory this cannot fail
			v.streams++
			v.differs(p, stream, v.text(snapshots, true), v.text(state.Entry{}, false))
		}
	}
	return nil
}

// differs notes a stream whose snapshot is wrong.
func (v *verifier) differs(p streams.Partition, stream []byte, snapshots, events string) {
	v.differ++
	if len(v.differences) < maxDifferences {
		v.differences = append(v.differences, fmt.Sprintf("%s in %s\n  snapshot  %s\n  events    %s\n", printable(string(stream)), p, snapshots, events))
	}
}

// text is what is known of a stream, for people.
func (v *verifier) text(e state.Entry, known bool) string {
	if !known {
		return "none"
	}
	var data any
	var err error
	if !e.Gone {
		_, data, err = v.codec.Decode(e.Value)
	}
	text, failed := stateText(e.Gone, data)
	if err = errors.Join(err, failed); err != nil {
		text = "! " + err.Error()
	}
	return fmt.Sprintf("version %d, offset %d: %s", e.Version, e.Offset, printable(text))
}

// stateText is a state as the commands print it.
func stateText(gone bool, data any) (string, error) {
	if gone {
		return "gone", nil
	}
	text, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("printing a state: %w", err)
	}
	return string(text), nil
}

// report says what was compared, and what differs.
func (v *verifier) report() string {
	var b strings.Builder
	for _, d := range v.differences {
		b.WriteString(d)
	}
	if more := v.differ - int64(len(v.differences)); more > 0 {
		fmt.Fprintf(&b, "… and %d more\n", more)
	}
	fmt.Fprintf(&b, "%s: %s of %s compared, %d wrong\n", v.fold.Name, plural(int(v.streams), "stream"), plural(int(v.partitions), "partition"), v.differ)
	return b.String()
}
