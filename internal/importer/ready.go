package importer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
)

// stopError is an error that no other try mends.
type stopError struct{ error }

func (e *stopError) Unwrap() error { return e.error }

// final returns what ends the import, nil where another try may help.
func (w *worker) final(ctx context.Context, err error) error {
	var stop *stopError
	var bad *streams.RecordError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, kafka.ErrFenced):
		return fmt.Errorf("another import of %s took over (or this one stood still for more than 10 s in the midst of a transaction); "+
			"what is missing follows when it is run again: %w", w.partition, err)
	case errors.Is(err, kafka.ErrRefused):
		return fmt.Errorf("%w; see what the broker's log and ACLs say, then import again: what is there already is skipped", err)
	case errors.Is(err, kafka.ErrOpenTransaction), errors.As(err, &stop), errors.As(err, &bad):
		return err
	}
	return nil
}

// open opens the session, which takes the partition over from any other import.
func (w *worker) open(ctx context.Context) error { return w.insist(ctx, w.openOnce) }

// ready opens the session where it is not open, and loads what the partition
// holds where that is not known.
func (w *worker) ready(ctx context.Context) error {
	if w.loaded {
		return nil
	}
	return w.insist(ctx, func(ctx context.Context) error {
		if err := w.openOnce(ctx); err != nil {
			return err
		}
		return w.load(ctx)
	})
}

// missingLooks is how many tries in a row may find no such topic. A broker that
// has just started does not know every topic yet.
const missingLooks = 10

// insist tries until it works, or until it cannot.
func (w *worker) insist(ctx context.Context, try func(context.Context) error) error {
	const first, most = 50 * time.Millisecond, 2 * time.Second
	missing := 0
	for pause := first; ; pause = min(2*pause, most) {
		err := try(ctx)
		if missing++; !errors.Is(err, kafka.ErrNoTopic) {
			missing = 0
		}
		if err == nil {
			w.run.outage.end(w.partition)
			return nil
		}
		w.close()
		if err := w.final(ctx, err); err != nil {
			return err
		}
		if missing == missingLooks {
			return fmt.Errorf("the topic was deleted while it was written to; import again, and it is created anew: %w", err)
		}
		w.run.outage.begin(w.partition, err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *worker) openOnce(ctx context.Context) error {
	if w.session != nil {
		return nil
	}
	s, err := kafka.OpenSession(ctx, w.run.Kafka, w.partition)
	if err != nil {
		return err
	}
	w.session = s
	if s.Start() > 0 {
		return &stopError{fmt.Errorf("%s begins at offset %d: events before it were deleted (see retention.ms), "+
			"so nobody knows which versions of a stream were there; import into a new topic", w.partition, s.Start())}
	}
	return nil
}

// load learns the streams' versions from the records of the partition, and what
// of the batch is among them: the answer to its transaction may have been lost.
func (w *worker) load(ctx context.Context) error {
	w.ledger.forget()
	if err := w.session.Load(ctx, w.loadRecord); err != nil {
		return err
	}
	committed, err := w.batch.reconcile(w.ledger)
	if err != nil {
		return &stopError{fmt.Errorf("%s: %w", w.partition, err)}
	}
	w.run.tally.written.Add(int64(committed))
	w.loaded = true
	return nil
}

func (w *worker) loadRecord(r streams.Record) error {
	event, err := streams.ParseEvent(&r)
	if err != nil {
		return err
	}
	version, err := event.Version()
	if err != nil {
		return r.Errorf("%w", err)
	}
	if p := streams.PartitionOf(r.Key, int32(len(w.run.workers))); p != w.partition.Partition {
		return r.Errorf("stream %s belongs into partition %d: its producer chose the partition in another way than murmur2, "+
			"so the stream may lie in two of them; import into a new topic", event.Stream, p)
	}
	// The stream is a view into the fetch, which must not stay in memory.
	w.ledger.note(streams.StreamID(strings.Clone(string(event.Stream))), version)
	w.run.tally.loaded.Add(1)
	return nil
}

// reconcile drops the events of the batch that the topic holds by now, takes
// the others again, and returns how many it dropped.
func (b *batch) reconcile(l *ledger) (committed int, err error) {
	kept := 0
	for i, e := range b.events {
		highest := l.versions[e.stream]
		if highest >= e.version {
			committed++
			continue
		}
		if highest != e.version-1 {
			return 0, fmt.Errorf("stream %s was there up to version %d and is now up to %d: the topic was cut or made anew "+
				"while it was written to; find out why, then import again", e.stream, e.version-1, highest)
		}
		l.note(e.stream, e.version)
		b.events[kept], b.records[kept] = e, b.records[i]
		kept++
	}
	b.events, b.records = b.events[:kept], b.records[:kept]
	return committed, nil
}
