package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/compose/compactor"
	"github.com/millrace/millrace/internal/progress"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/rules"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/state"
)

// readFolds reads the status of the folds of a configuration, or of one.
func (s *shell) readFolds(ctx context.Context, config string, names []string) ([]foldStatus, error) {
	var c compactor.Compactor
	folds, err := declaredFolds(&c, config, names...)
	if err != nil {
		return nil, err
	}
	admin, err := compose.AskKafka(ctx, c.Kafka)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	digests := map[string]string{}
	var compiled compactor.Compactor
	if loadFolds(ctx, &compiled, config) == nil { // millrace check tells why it does not
		for _, f := range compiled.Folds {
			digests[f.Name] = f.Digest
		}
	}
	reader := foldReader{behind{c.Kafka, admin}, progress.New(s.err)}
	defer reader.display.Clear()
	var all []foldStatus
	for _, f := range folds {
		status, err := reader.read(ctx, f, digests[f.Name])
		if err != nil {
			return nil, err
		}
		all = append(all, *status)
	}
	return all, nil
}

// foldReader reads what stands in snapshot topics.
type foldReader struct {
	behind
	display *progress.Display
}

// read reads the status of a fold. An empty digest is not known.
func (r *foldReader) read(ctx context.Context, f *rules.Fold, digest string) (*foldStatus, error) {
	status := &foldStatus{Fold: f.Name, Version: f.Version, Topic: f.Topic, Snapshots: f.To, Partitions: []snapshotsStatus{}}
	topic, err := openSnapshots(ctx, r.cfg, f.Topic, f.To)
	if errors.Is(err, kafka.ErrNoTopic) || errors.Is(err, snapshot.ErrUnusable) {
		status.note("%v", err)
		return status, nil
	}
	if err != nil {
		return nil, err
	}
	defer topic.Close()
	if err := r.partitions(ctx, topic, status); err != nil {
		return nil, err
	}
	if err := r.lag(ctx, status); err != nil {
		return nil, err
	}
	status.compare(digest)
	return status, nil
}

// compare notes snapshots of other rules than those of the digest, or of several.
func (f *foldStatus) compare(digest string) {
	for i := range f.Partitions {
		f.Digest = cmp.Or(f.Digest, f.Partitions[i].digest)
	}
	digest = cmp.Or(digest, f.Digest)
	if slices.ContainsFunc(f.Partitions, func(p snapshotsStatus) bool { return p.digest != "" && p.digest != digest }) {
		f.note("the snapshots were folded by other rules: raise version")
	}
}

// note adds what somebody who looks should know.
func (f *foldStatus) note(format string, args ...any) {
	if f.Note != "" {
		f.Note += "; "
	}
	f.Note += fmt.Sprintf(format, args...)
}

// partitions reads the snapshots of every partition. What is wrong with those of
// one is noted.
func (r *foldReader) partitions(ctx context.Context, topic *snapshot.Topic, status *foldStatus) error {
	ends, err := r.admin.StableOffsets(ctx, topic.Name)
	if err != nil {
		return err
	}
	var done, total int64
	for _, end := range ends {
		total += end
	}
	counted := newCensus()
	for p := range topic.Source.Partitions {
		_, err := snapshot.Resync(ctx, topic, snapshot.Options{Partition: p, Progress: func(at snapshot.Progress) {
			if position := done + min(at.Position, ends[topic.Partition(p)]); position < total {
				r.display.Set("reading "+topic.Name, position, total, "")
			}
		}}, counted.take)
		var bad *streams.RecordError
		switch {
		case errors.Is(err, snapshot.ErrUnusable) || errors.As(err, &bad):
			status.note("%v", err)
		case err != nil:
			return err
		}
		done += ends[topic.Partition(p)]
		status.addPartition(counted.status(streams.Partition{Topic: topic.Source.Topic, Partition: p}))
	}
	return nil
}

func (f *foldStatus) addPartition(p snapshotsStatus) {
	f.add(p.counts)
	f.Partitions = append(f.Partitions, p)
}

// census counts what stands in one snapshot partition after the other.
type census struct {
	counts
	streams *state.Memory // without their states
	mark    *snapshot.Watermark
}

func newCensus() *census { return &census{streams: state.NewMemory()} }

// take counts a record. Of a stream the last one counts.
func (c *census) take(r *snapshot.Record) error {
	c.Records++
	if r.Watermark != nil {
		c.mark = r.Watermark
		return nil
	}
	c.Bytes += int64(len(r.Stream) + len(r.Value))
	if before, known, err := c.streams.Get(r.Stream); err != nil {
		return err
	} else if known {
		c.stream(before.Gone, -1)
	}
	if r.Forgotten {
		return c.streams.Delete(r.Stream)
	}
	c.stream(r.Gone, 1)
	return c.streams.Put(r.Stream, state.Entry{Gone: r.Gone})
}

func (c *census) stream(gone bool, by int64) {
	if gone {
		c.Gone += by
	} else {
		c.Live += by
	}
}

// status returns what was counted in a partition and begins another one.
func (c *census) status(p streams.Partition) snapshotsStatus {
	s := snapshotsStatus{Partition: p.String(), id: p, counts: c.counts}
	if c.mark != nil {
		s.Watermark, s.digest = &c.mark.Next, c.mark.Digest
	}
	c.streams.Reset()
	c.counts, c.mark = counts{}, nil
	return s
}

// lag fills in how far the watermarks are behind the events.
func (r *foldReader) lag(ctx context.Context, status *foldStatus) error {
	stable, err := r.admin.StableOffsets(ctx, status.Topic)
	if err != nil {
		return err
	}
	first, err := r.admin.StartOffsets(ctx, status.Topic)
	if err != nil {
		return err
	}
	waiting := map[streams.Partition]int64{}
	for i := range status.Partitions {
		p := &status.Partitions[i]
		p.Stable = stable[p.id]
		from := first[p.id]
		if p.Watermark != nil {
			from = max(from, *p.Watermark)
		}
		if p.Lag = max(0, p.Stable-from); p.Lag > 0 {
			waiting[p.id] = from
		}
	}
	stamps, err := r.stamps(ctx, waiting)
	if err != nil {
		return err
	}
	var lag int64
	var behind float64
	for i := range status.Partitions {
		p := &status.Partitions[i]
		if at, ok := stamps[p.id]; ok {
			p.Behind = max(0, time.Since(at).Seconds())
		}
		lag += p.Lag
		behind = max(behind, p.Behind)
	}
	status.Lag, status.Behind = &lag, &behind
	return nil
}
