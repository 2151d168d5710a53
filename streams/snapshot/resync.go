package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
)

// Options are the settings of [Resync].
type Options struct {
	// Partition is the one to load.
	Partition int32
	// From is where a load goes on that was interrupted; nil, or one that has read
	// nothing: at the beginning.
	From *Checkpoint
	// Digest is that of the fold that is expected; empty: any, but one. A load that
	// goes on knows of no other one than it is told here.
	Digest string
	// Deadline is how long it may take until the last pass begins, the one that is
	// whole. Default, and the most: half of delete.retention.ms of the topic, since
	// streams that were forgotten are not heard of any more after that.
	Deadline time.Duration
	// Progress is told how far it is, several times a second. Nil: nobody is.
	Progress func(Progress)
}

// Progress is how far a load is.
type Progress struct {
	Position, End int64 // of the snapshot partition
	Snapshots     int64 // records of streams that were read
	Passes        int   // that were begun
}

// Loaded is what a load came to.
type Loaded struct {
	// Position is where events go on: the watermark, 0 where there is none.
	Position int64
	// Checkpoint is where a later load would go on.
	Checkpoint Checkpoint
	// Filter drops the events behind Position that are in the snapshots. It knows
	// of none that were read before From: who went on from a Checkpoint goes on
	// until it is Covered.
	Filter *Filter
	// Digest is that of the fold; where no watermark was read, what was expected.
	Digest string
	// Snapshots and Gone are how many records were read: of streams, and of those
	// that said that their stream has ended. A stream may have had several.
	Snapshots, Gone int64
	Passes          int
	Took            time.Duration
}

// progressInterval is how often progress is told.
const progressInterval = 250 * time.Millisecond

// The last watermark is looked for in so many offsets before the end: it is the
// last record of a transaction. Where there is none it is looked for in so many
// times more: an aborted transaction may stand behind it.
const (
	peek     = 64
	peekMore = 16
)

// Resync hands every record of a partition of a snapshot topic to fn, in order:
// of a stream that has several records the last one counts. It returns when
// nothing that was there can have been missed (see the package's comment); an
// error of fn ends it and is returned as it is. It holds two fetches in memory,
// and the streams of its Filter, which are none behind a compactor of Millrace.
//
// The error is [ErrUnusable] where trying again cannot help. After another one
// the load can be begun anew, or gone on with from a checkpoint that fn has seen.
func Resync(ctx context.Context, t *Topic, o Options, fn func(*Record) error) (Loaded, error) {
	longest := t.DeleteRetention / 2
	o.Deadline = min(cmp.Or(o.Deadline, longest), longest)
	if o.From == nil || o.From.Next == 0 {
		from := Beginning
		o.From = &from
	}
	r := &resync{topic: t, options: o, fn: fn, began: time.Now(), filter: newFilter()}
	r.loading = NewLoading(t.Source, o.Partition, *o.From)
	r.loading.Digest = o.Digest
	if err := r.run(ctx); errors.Is(err, kafka.ErrTopicChanged) {
		return Loaded{}, fmt.Errorf("%w: %w; begin anew", ErrUnusable, err)
	} else if err != nil {
		return Loaded{}, err
	}
	l := r.loading
	return Loaded{
		Position: max(l.Watermark, 0), Checkpoint: l.Checkpoint, Filter: r.filter, Digest: l.Digest,
		Snapshots: l.Snapshots, Gone: l.Gone, Passes: r.passes, Took: time.Since(r.began),
	}, nil
}

// resync is one load.
type resync struct {
	topic   *Topic
	options Options
	fn      func(*Record) error
	loading *Loading
	filter  *Filter
	began   time.Time
	told    time.Time
	end     int64 // as it was listed last
	passes  int
}

func (r *resync) run(ctx context.Context) error {
	p := r.topic.Partition(r.options.Partition)
	first, stable, err := r.topic.scanner.Bounds(ctx, p)
	if err != nil {
		return err
	}
	if err := r.peek(ctx, p, first, stable); err != nil {
		return err
	}
	r.loading.First = first
	position := max(first, r.loading.Next)
	r.end = stable
	for {
		pass, err := r.pass(ctx, p, position)
		if err != nil {
			return err
		}
		position = pass.Next
		r.loading.Next = position
		whole, err := r.topic.whole(ctx, pass)
		if err != nil {
			return err
		}
		if whole {
			return r.usable(ctx)
		}
		if took := time.Since(r.began); took > r.options.Deadline {
			return fmt.Errorf("loading %s: no pass was whole in %v and %d passes, so snapshots may have been missed; "+
				"raise min.compaction.lag.ms and delete.retention.ms of the topic, or try again when less is written", p, took.Round(time.Second), r.passes)
		}
	}
}

// peek looks for the last watermark, so that the filter need not remember what
// is before it.
func (r *resync) peek(ctx context.Context, p streams.Partition, first, stable int64) error {
	from := stable
	for back := int64(peek); from > first && r.filter.watermark == None; back *= peekMore {
		from = max(first, stable-back)
		_, err := r.topic.scanner.Scan(ctx, p, from, func(k streams.Record) error {
			if string(k.Key) != WatermarkKey {
				return nil
			}
			s, err := Parse(&k)
			if err == nil {
				r.filter.keep(s.Watermark.Next)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pass reads up to a new end.
func (r *resync) pass(ctx context.Context, p streams.Partition, from int64) (kafka.Pass, error) {
	r.passes++
	pass, err := r.topic.scanner.Scan(ctx, p, from, func(k streams.Record) error {
		s, err := r.loading.Take(&k)
		if err != nil {
			return err
		}
		r.filter.note(&s)
		r.tell(s.Next, false)
		return r.fn(&s)
	})
	r.end = max(r.end, pass.Next)
	r.tell(pass.Next, true)
	return pass, err
}

func (r *resync) usable(ctx context.Context) error {
	source := streams.Partition{Topic: r.topic.Source.Topic, Partition: r.options.Partition}
	first, stable, err := r.topic.scanner.Bounds(ctx, source)
	if err != nil {
		return err
	}
	l := r.loading
	if last := max(l.Watermark-1, l.Highest); last >= stable {
		return fmt.Errorf("%w: they reach to offset %d of %s, whose LSO is %d: the events were lost", ErrUnusable, last+1, source, stable)
	}
	if l.Watermark < r.filter.watermark { // which was removed after the filter had been told
		return errBack(r.filter.watermark, l.Watermark)
	}
	return l.Usable(first, r.topic.retention)
}

func (r *resync) tell(position int64, now bool) {
	if r.options.Progress == nil || !now && time.Since(r.told) < progressInterval {
		return
	}
	r.told = time.Now()
	r.options.Progress(Progress{Position: position, End: max(r.end, position), Snapshots: r.loading.Snapshots, Passes: r.passes})
}
