package snapshot

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
)

// ErrUnusable says that snapshots cannot be loaded, however often it is tried:
// they belong to other events, or the events behind them are gone.
var ErrUnusable = errors.New("the snapshots cannot be used")

// Source is the event topic that snapshots are of, as it is known again.
type Source struct {
	Topic      string
	ID         string // see kafka.Topic; empty in a cluster that has no topic IDs
	Partitions int32
}

// Topic is a snapshot topic to be loaded. Safe for concurrent use.
type Topic struct {
	// Name is that of the snapshot topic, and ID its own.
	Name, ID string
	Source   Source
	// DeleteRetention is how long a tombstone stays, which says that a stream is
	// forgotten; 0 where nobody tells.
	DeleteRetention time.Duration

	retention string // retention.ms of the source
	admin     *kafka.Admin
	scanner   *kafka.Scanner
	window    time.Duration // when it was opened
	// missedNothing says that a pass was whole. Tests put another one here.
	missedNothing func(kafka.Pass) bool
}

// Open looks a snapshot topic and its source up. The error is [kafka.ErrNoTopic]
// where one of them does not exist, [ErrUnusable] where they do not belong
// together. Close the topic after use.
func Open(ctx context.Context, cfg kafka.Config, source, name string) (*Topic, error) {
	admin, err := kafka.NewAdmin(cfg)
	if err != nil {
		return nil, err
	}
	t, err := open(ctx, cfg, admin, source, name)
	if err != nil {
		admin.Close()
	}
	return t, err
}

func open(ctx context.Context, cfg kafka.Config, admin *kafka.Admin, source, name string) (*Topic, error) {
	topics, err := admin.Topics(ctx, source, name)
	if err != nil {
		return nil, err
	}
	events, snapshots := topics[source], topics[name]
	if events.Partitions != snapshots.Partitions {
		return nil, fmt.Errorf("%w: topic %s has %d partitions, its source %s has %d; let the compactor make a new one: raise the version of the fold",
			ErrUnusable, name, snapshots.Partitions, source, events.Partitions)
	}
	if err := keeps(snapshots); err != nil {
		return nil, err
	}
	scanner, err := kafka.NewScanner(cfg, events, snapshots)
	if err != nil {
		return nil, err
	}
	return &Topic{
		Name: name, ID: snapshots.ID, Source: Source{source, events.ID, events.Partitions},
		DeleteRetention: millis(snapshots.Configs, "delete.retention.ms"),
		retention:       events.Configs["retention.ms"],
		admin:           admin, scanner: scanner,
		window: window(snapshots.Configs), missedNothing: missedNothing(window(snapshots.Configs)),
	}, nil
}

// Close ends the connections.
func (t *Topic) Close() {
	t.scanner.Close()
	t.admin.Close()
}

// whole says that a pass has missed nothing. Where its time says so, the settings
// are looked up again: the topic may have been open for long.
func (t *Topic) whole(ctx context.Context, pass kafka.Pass) (bool, error) {
	if sure := t.missedNothing(pass); !sure || pass.Whole() {
		return sure, nil
	}
	topics, err := t.admin.Topics(ctx, t.Name)
	return err == nil && window(topics[t.Name].Configs) >= t.window, err
}

// missedNothing says that nothing of a pass's range was removed, or that nothing
// can have been since the pass began. What a transaction that was open then has
// written may be older than the window when it is committed.
func missedNothing(window time.Duration) func(kafka.Pass) bool {
	return func(pass kafka.Pass) bool {
		return pass.Whole() || pass.Settled && pass.Took < window
	}
}

// window is how long a pass may take in which nothing is removed: half of the
// time in which neither a record that was replaced nor a tombstone is, and none
// where records have the time of their producers, who may say what they like.
func window(configs map[string]string) time.Duration {
	if configs["message.timestamp.type"] != "LogAppendTime" {
		return 0
	}
	return min(millis(configs, "min.compaction.lag.ms"), millis(configs, "delete.retention.ms")) / 2
}

// millis is a setting in milliseconds. Where nobody tells, nothing is counted on.
func millis(configs map[string]string, name string) time.Duration {
	ms, err := strconv.ParseInt(configs[name], 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

// Partition names a partition of the snapshot topic.
func (t *Topic) Partition(p int32) streams.Partition {
	return streams.Partition{Topic: t.Name, Partition: p}
}

// Check says whether a watermark is about a partition of the source.
func (s Source) Check(p int32, w *Watermark) error {
	switch {
	case w.Topic != s.Topic || w.Partition != p:
		return fmt.Errorf("%w: the watermark is about %s/%d, not %s/%d", ErrUnusable, w.Topic, w.Partition, s.Topic, p)
	case w.Partitions != s.Partitions, w.TopicID != "" && s.ID != "" && w.TopicID != s.ID:
		return &SourceError{Before: Source{s.Topic, w.TopicID, w.Partitions}, Now: s}
	}
	return nil
}

// SourceError says that the source is not the topic that it was.
type SourceError struct{ Before, Now Source }

// Error names what has changed.
func (e *SourceError) Error() string {
	if e.Before.Partitions == e.Now.Partitions {
		return fmt.Sprintf("topic %s was made anew (ID %s, before %s): raise the version of the fold", e.Now.Topic, e.Now.ID, e.Before.ID)
	}
	return fmt.Sprintf("topic %s has %d partitions, before it had %d: its streams have moved; copy the events to a new topic, and take snapshots of that",
		e.Now.Topic, e.Now.Partitions, e.Before.Partitions)
}

// Unwrap returns [ErrUnusable].
func (e *SourceError) Unwrap() error { return ErrUnusable }
