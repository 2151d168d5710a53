package importer

import (
	"context"
	"fmt"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
)

const (
	// batchEvents and batchBytes bound a transaction: large, because the next
	// one waits until the markers of this one are written, and small enough to
	// be sent within a second.
	batchEvents = 5000
	batchBytes  = 8 << 20
	// batchWait is how long an event waits for others, so that a slow input (a
	// pipe) is written, too.
	batchWait = 500 * time.Millisecond
	// queue is how many lines wait for a partition, and maxQueued for all: enough
	// that the reader goes on while a transaction ends.
	queue     = 4096
	maxQueued = 1 << 16
	// maxRecord is the largest record, in bytes: what brokers take by default
	// is 1 MiB, with the batch around it.
	maxRecord = 900 << 10
)

// worker writes the lines of one partition, one transaction at a time. What it
// knows of the topic is its ledger; after an error it throws that away and
// loads it again.
type worker struct {
	run       *run
	partition streams.Partition
	lines     chan line
	session   *kafka.Session // nil where it is to be opened
	loaded    bool           // the ledger knows what is in the topic
	ledger    *ledger
	encoders  map[string]encoder // by event type
	batch     batch
	maxBytes  int // of a batch
}

// encoder is the encoder of an event type, or why there is none.
type encoder struct {
	Encoder
	err error
}

// batch is what the next transaction writes.
type batch struct {
	events  []pending
	records []kafka.OutRecord // of the events
	bytes   int
}

// pending is what must be known of an event until it is committed.
type pending struct {
	stream  streams.StreamID
	version int64
}

func newWorker(r *run, p streams.Partition, partitions int) *worker {
	return &worker{
		run:       r,
		partition: p,
		lines:     make(chan line, min(queue, maxQueued/partitions)+1),
		ledger:    newLedger(),
		encoders:  map[string]encoder{},
		maxBytes:  min(batchBytes, memory/partitions),
	}
}

// work writes the lines until their channel is closed.
func (w *worker) work(ctx context.Context) error {
	if err := w.ready(ctx); err != nil {
		return err
	}
	wait := time.NewTimer(batchWait)
	defer wait.Stop()
	for {
		select {
		case l, more := <-w.lines:
			if !more {
				return w.flush(ctx)
			}
			if len(w.batch.events) == 0 {
				wait.Reset(batchWait)
			}
			if err := w.take(ctx, &l); err != nil {
				return err
			}
		case <-wait.C:
			if err := w.flush(ctx); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take puts a line into the batch, or counts why not.
func (w *worker) take(ctx context.Context, l *line) error {
	w.judge(l)
	w.run.room.Release(l.bytes)
	if len(w.batch.events) < w.run.batchEvents && w.batch.bytes < w.maxBytes {
		return nil
	}
	return w.flush(ctx)
}

func (w *worker) judge(l *line) {
	if l.err != nil {
		w.fail(l, l.err)
		return
	}
	switch w.ledger.judge(l.stream, l.version) {
	case present:
		w.run.tally.present.Add(1)
	case held:
		w.run.tally.held.Add(1)
	case gap:
		w.fail(l, fmt.Errorf("stream %s: version %d is not the next one, %d is missing", l.stream, l.version, w.ledger.versions[l.stream]+1))
	case due:
		if err := w.encode(l); err != nil {
			w.fail(l, err)
		}
	}
}

// fail counts the line and holds back what follows it in its stream.
func (w *worker) fail(l *line, reason error) {
	w.run.fail(l.number, reason)
	w.ledger.hold(l.stream)
}

func (w *worker) encode(l *line) error {
	e, ok := w.encoders[l.kind]
	if !ok {
		e.Encoder, e.err = w.run.Encoders(l.kind)
		w.encoders[l.kind] = e
	}
	if e.err != nil {
		return e.err
	}
	value, err := e.EncodeJSON(nil, l.data)
	if err != nil {
		return err
	}
	record := w.run.record(l, value)
	size := recordSize(record)
	if size > maxRecord {
		return fmt.Errorf("the event takes %d bytes as a record; %d are possible", size, maxRecord)
	}
	w.ledger.note(l.stream, l.version)
	w.batch.events = append(w.batch.events, pending{l.stream, l.version})
	w.batch.records = append(w.batch.records, record)
	w.batch.bytes += size
	return nil
}

// recordSize is about what a record takes on the wire.
func recordSize(r kafka.OutRecord) int {
	n := len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return n
}

// flush writes the batch, however often Kafka must be asked.
func (w *worker) flush(ctx context.Context) error {
	for len(w.batch.events) > 0 {
		if err := w.ready(ctx); err != nil {
			return err
		}
		if len(w.batch.events) == 0 {
			w.batch.drop() // it had been committed
			return nil
		}
		err := w.write(ctx)
		if err == nil {
			w.run.tally.written.Add(int64(len(w.batch.events)))
			w.batch.drop()
			return nil
		}
		w.close()
		if err := w.final(ctx, err); err != nil {
			return err
		}
		w.run.outage.begin(w.partition, err)
	}
	return nil
}

func (w *worker) write(ctx context.Context) error {
	answered := w.run.outage.watch(w.partition)
	err := w.session.Write(ctx, w.batch.records)
	answered(err)
	return err
}

// drop empties the batch and keeps its memory for the next one.
func (b *batch) drop() {
	clear(b.events)
	clear(b.records)
	b.events, b.records, b.bytes = b.events[:0], b.records[:0], 0
}

// close gives the session up, and what is known through it.
func (w *worker) close() {
	if w.session != nil {
		w.session.Close()
	}
	w.session, w.loaded = nil, false
}
