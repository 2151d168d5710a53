package importer

import (
	"context"
	"errors"
	"io"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/millrace/millrace/streams"
)

// memory bounds, in bytes, what is read and not yet encoded, and what is
// encoded and not yet written, each.
const memory = 96 << 20

// Run imports a file. The report is right also beside an error: what it counts
// as written is committed.
//
// A nil error and a report that is not OK mean that lines failed. An error is
// [kafka.ErrFenced] where another import took over, ctx's where ctx ended.
// After any of them a second run completes what the first one left.
func Run(ctx context.Context, o Options) (Report, error) {
	o = o.withDefaults()
	began := time.Now()
	r := &run{Options: o, room: semaphore.NewWeighted(memory), outage: outage{logger: o.Logger}}
	err := r.run(ctx)
	report := r.tally.report()
	report.File, report.Topic, report.Took = o.File, o.Topic, time.Since(began)
	return report, err
}

// run is one import: a reader, and a worker for each partition.
type run struct {
	Options
	in      *input
	workers []*worker
	room    *semaphore.Weighted // for lines that are read and not yet encoded
	tally   tally
	outage  outage
}

func (r *run) run(ctx context.Context) error {
	if err := r.validate(); err != nil {
		return err
	}
	in, err := openInput(r.File, r.Input)
	if err != nil {
		return err
	}
	r.in = in
	defer in.close() //nolint:errcheck // it is only read
	partitions, err := ensureTopic(ctx, &r.Options)
	if err != nil {
		return err
	}
	if err := r.open(ctx, partitions); err != nil {
		return err
	}
	defer r.showProgress()()
	return r.importLines(ctx)
}

// open takes the partitions over, one after the other, in the same order as
// every other import: so of two that begin together one is first at all of them
// more often than not.
func (r *run) open(ctx context.Context, partitions int32) (err error) {
	defer func() {
		if err != nil {
			r.closeSessions()
		}
	}()
	for p := range partitions {
		w := newWorker(r, streams.Partition{Topic: r.Topic, Partition: p}, int(partitions))
		if err := w.open(ctx); err != nil {
			return err
		}
		r.workers = append(r.workers, w)
	}
	return nil
}

func (r *run) closeSessions() {
	for _, w := range r.workers {
		w.close()
	}
}

// importLines reads all lines and writes them. Where reading fails, what was
// read before is written.
func (r *run) importLines(ctx context.Context) error {
	defer r.closeSessions()
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range r.workers {
		group.Go(func() error { return w.work(ctx) })
	}
	read := make(chan error, 1)
	go func() {
		err := r.readLines(ctx)
		for _, w := range r.workers {
			close(w.lines)
		}
		read <- err
	}()
	if err := group.Wait(); err != nil {
		_ = r.in.close()     // ends a read of a pipe that blocks
		if r.File != Stdin { // nobody can end that of the standard input
			<-read //nolint:errcheck // what it ended with is the consequence of err
		}
		return err
	}
	return <-read
}

// readLines hands each line to the worker of its partition.
func (r *run) readLines(ctx context.Context) error {
	for {
		raw, err := r.in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		l := line{err: err}
		switch {
		case err == nil:
			l = parseLine(raw)
		case !errors.Is(err, errLongLine):
			return err
		}
		l.number, l.bytes = r.in.line, int64(len(raw))
		r.tally.lines.Add(1)
		if err := r.pass(ctx, l); err != nil {
			return err
		}
	}
}

func (r *run) pass(ctx context.Context, l line) error {
	if l.stream == "" {
		r.fail(l.number, l.err) // whose it is shows in the gap that it leaves
		return nil
	}
	if err := r.room.Acquire(ctx, l.bytes); err != nil {
		return err
	}
	w := r.workers[streams.PartitionOf([]byte(l.stream), int32(len(r.workers)))]
	select {
	case w.lines <- l:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *run) fail(number int64, reason error) {
	r.tally.fail(Problem{File: r.in.name, Line: number, Reason: reason.Error()})
}

// showProgress tells the progress until the function that it returns is called.
func (r *run) showProgress() (stop func()) {
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(progressInterval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				r.Progress(r.progress())
			case <-quit:
				r.Progress(r.progress())
				return
			}
		}
	}()
	return func() { close(quit); <-gone }
}

func (r *run) progress() Progress {
	t := &r.tally
	return Progress{
		Read: r.in.read.Load(), Size: r.in.size,
		Loaded: t.loaded.Load(), Lines: t.lines.Load(),
		Written: t.written.Load(), Present: t.present.Load(),
		Failed: t.failed.Load() + t.held.Load(),
	}
}
