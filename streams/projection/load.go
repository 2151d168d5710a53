package projection

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/snapshot"
)

// Load is what a batch of snapshots is from. The first one of a view records it,
// and the others are compared with that until the view is loaded.
type Load struct {
	// Topic is the name of the snapshot topic and its ID, joined by a slash.
	Topic string
	// Fold is the digest of the fold; empty where no watermark has told it yet.
	Fold string
	// Since is when what the batch is of began to be read, and Whole says that it
	// was read up to an end behind which nothing was missed.
	Since time.Time
	Whole bool
	// Patience is how long before Since the load may have begun, or may last have
	// been whole.
	Patience time.Duration
}

// load is a load of the snapshots of one partition. Its batches go through the
// same script as those of events: the position that is compared and moved is how
// far the load is, so whoever goes on with it, and however often a batch comes,
// each snapshot is in the rows once.
type load struct {
	Load
	partition *partition
	topic     *snapshot.Topic
	in        *snapshotInterpreter
	waiting   bool // it was said that a watermark is waited for
	pending   int  // snapshots in the batch
	loads          // what this owner has read
}

// How often a load looks for the watermark that it lacks, and after how many
// records it looks whether its batch is old or large.
const (
	watermarkTick = time.Second
	batchCheck    = 256
)

// loadSnapshots loads what a partition begins with, where it still has to.
func (p *partition) loadSnapshots(ctx context.Context) error {
	p.load, p.filter = nil, nil
	if !p.position.Loading() {
		return nil
	}
	err := p.begin(ctx)
	for err == nil && p.load != nil {
		err = p.load.round(ctx)
	}
	if err != nil {
		return fmt.Errorf("loading snapshots of %s: %w", p.id, err)
	}
	return nil
}

// begin opens the snapshots, and has Redis note the time before anything is read.
func (p *partition) begin(ctx context.Context) error {
	topic, err := p.reader.openSnapshots(ctx)
	if err != nil {
		return err
	}
	if topic.DeleteRetention == 0 {
		return fmt.Errorf("%w: delete.retention.ms of topic %s is 0 or not told, so a load may never hear of streams that were forgotten: set it to 24 h, or let this worker describe the settings of the topic",
			snapshot.ErrUnusable, topic.Name)
	}
	in, err := newSnapshotInterpreter(p.reader.view)
	if err != nil {
		return err
	}
	p.limit = p.maxOps()
	p.load = &load{
		Load:      Load{Topic: topic.Name + "/" + topic.ID, Since: time.Now(), Patience: topic.DeleteRetention / 2},
		partition: p, topic: topic, in: in, loads: loads{began: time.Now()},
	}
	return p.write(ctx)
}

// round reads up to an end behind which nothing was missed. The load is complete
// where the watermark covers all that was read, or where there is nothing at all.
func (l *load) round(ctx context.Context) error {
	p := l.partition
	var loaded snapshot.Loaded
	err := p.reader.kafkaAway.Retry(ctx, func() (err error) {
		from := p.read.Load
		l.Since, l.Whole = time.Now(), false
		loaded, err = snapshot.Resync(ctx, l.topic, snapshot.Options{Partition: p.id.Partition, From: &from, Progress: p.state.loading},
			func(r *snapshot.Record) error { return l.take(ctx, r) })
		return err
	})
	if err != nil {
		return err
	}
	p.read.Load, l.Whole = loaded.Checkpoint, true
	l.passes += loaded.Passes
	if c := loaded.Checkpoint; p.reader.projector.covered(c) || c.Watermark == snapshot.None && c.Highest == snapshot.None {
		return l.complete(ctx, loaded)
	}
	if err := p.write(ctx); err != nil {
		return err
	}
	l.wait(loaded.Checkpoint)
	return follow.Sleep(ctx, watermarkTick)
}

// take folds a record, and writes the batch where it is time to.
func (l *load) take(ctx context.Context, r *snapshot.Record) error {
	p := l.partition
	if r.Watermark != nil {
		l.Fold = r.Watermark.Digest
	} else if err := l.in.apply(r, p.id.Partition, p.fold); err != nil {
		at := streams.Record{Topic: l.topic.Name, Partition: p.id.Partition, Offset: r.Next - 1}
		return at.Errorf("snapshot of stream %s: %w", r.Stream, err)
	}
	p.read.Load.Advance(r)
	l.count(r)
	if p.begun.IsZero() {
		p.begun = time.Now()
	}
	if l.records%batchCheck == 0 {
		p.memory.set(p.fold.Memory())
	}
	if p.fold.Ops() >= p.limit || l.records%batchCheck == 0 && p.due(false) {
		return p.write(ctx)
	}
	return nil
}

// complete writes the last batch. With it the position is that of the watermark,
// and events go on from there.
func (l *load) complete(ctx context.Context, loaded snapshot.Loaded) error {
	p := l.partition
	p.read = At(loaded.Position)
	if err := p.write(ctx); err != nil {
		return err
	}
	l.offsets, l.partitions = loaded.Position, 1
	p.load = nil
	if loaded.Filter.Len() > 0 {
		p.filter = loaded.Filter
	}
	p.reader.loaded(p, l.loads)
	return nil
}

// wait says once that the watermark does not cover the snapshots yet.
func (l *load) wait(c snapshot.Checkpoint) {
	if l.waiting {
		return
	}
	l.waiting = true
	p := l.partition
	p.state.notReady(fmt.Sprintf("loading snapshots: they reach to offset %d, and the last watermark is %d; waiting for the next one", c.Highest, c.Watermark))
	p.log.Info("snapshots reach behind the last watermark; waiting for the next one", "watermark", c.Watermark, "highest", c.Highest,
		keyNext, "see that whoever writes the snapshots goes on")
}

// refused is the error of a batch that belongs to another load than the one that
// was begun.
func (l *load) refused(a Answer) error {
	switch a.Field {
	case fieldFold:
		return &snapshot.DigestError{Expected: a.Digest, Found: l.Fold}
	case fieldSnapshots:
		return fmt.Errorf("%w: the rows were begun from topic %s, which is %s now: raise version to build them from that", snapshot.ErrUnusable, a.Digest, l.Topic)
	}
	last, _ := strconv.ParseInt(a.Digest, 10, 64)
	return fmt.Errorf("%w: the load has not once read all that there was since %s, for more than half of delete.retention.ms of topic %s (%v), so it may never hear of streams that were forgotten: raise version to begin anew",
		snapshot.ErrUnusable, time.UnixMilli(last).UTC().Format(time.RFC3339), l.topic.Name, l.Patience)
}

// apply folds an event, which no snapshot that was loaded may include: a load is
// complete when the watermark is behind all of them.
func (p *partition) apply(r *streams.Record) error {
	if p.filter != nil && p.filter.Includes(r.Key, r.Offset) {
		return r.Errorf("stream %s: its snapshot includes this event, which is behind the watermark that the load ended with; raise version, and report this", r.Key)
	}
	return p.in.apply(r, p.fold)
}
