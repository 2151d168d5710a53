package compaction

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/state"
)

// partition keeps the snapshots of one source partition, from its assignment to
// its revocation. One goroutine runs it.
type partition struct {
	keeper *keeper
	id     streams.Partition // of the event topic
	log    *slog.Logger
	state  *partitionState
	away   follow.Outage // while the snapshot partition cannot be taken over

	session *kafka.Session
	feed    *kafka.Feed
	replay  *Replay
	memory  *state.Memory
	read    int64     // what is folded reaches to here
	fresh   bool      // nothing was flushed yet since the take-over
	empty   bool      // nothing was flushed ever
	begun   time.Time // when the first change since the flush was made; zero where there is none
	stamp   time.Time // of the last record that was folded
	records int       // since the last flush
}

// restartPause keeps a partition that must always begin again from doing nothing
// else.
const restartPause = time.Second

// run owns the partition until ctx ends. Whatever it returns for, nothing of this
// assignment writes any more.
func (p *partition) run(ctx context.Context) {
	told := false // that it begins again, since the last flush
	for ctx.Err() == nil {
		err := p.own(ctx)
		var digest *snapshot.DigestError
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, kafka.ErrFenced):
			p.keeper.metrics.fenced.Inc()
			p.log.Warn("another worker took the partition over; joining the group again")
			p.state.notReady("fenced: joining the group again")
			p.keeper.assigner.Rejoin()
			return
		case errors.As(err, &digest):
			p.state.stopped(err)
			p.keeper.leave(err)
			return
		case final(err):
			p.stop(err)
			return
		}
		if !told || !p.fresh {
			p.log.Warn("starting again from the committed snapshots", keyError, err)
			told = true
		}
		p.state.notReady("starting again from the committed snapshots: " + err.Error())
		if follow.Sleep(ctx, restartPause) != nil {
			return
		}
	}
}

// final says that trying again cannot help.
func final(err error) bool {
	var stop *kafka.StopError
	var record *streams.RecordError
	return errors.As(err, &stop) || errors.As(err, &record) || errors.Is(err, kafka.ErrRefused) || errors.Is(err, snapshot.ErrUnusable)
}

func (p *partition) stop(err error) {
	p.state.stopped(err)
	p.keeper.metrics.stopped.Inc()
	p.log.Error("partition stopped; the others go on", keyError, err,
		keyNext, "mend the cause and restart the worker: it goes on from the watermark")
}

// own takes the partition over, loads its states, and follows its events until
// an error ends that.
func (p *partition) own(ctx context.Context) error {
	p.fresh = true
	stable, err := p.keeper.stable(ctx, p.id)
	if err != nil {
		return err
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	defer p.session.Close()
	position, err := p.load(ctx)
	if err != nil {
		return err
	}
	p.read, p.begun, p.stamp, p.records = position, time.Time{}, time.Time{}, 0
	p.replay.events.TakeIgnored(func(string, int64) {}) // they come again
	p.state.loaded(position, stable)
	p.feed = p.keeper.kafka.Open(p.id, position)
	defer p.feed.Close()
	err = p.follow(ctx)
	if ctx.Err() != nil {
		p.drain(ctx)
	}
	return err
}

// open takes the right to write the snapshot partition. A transaction of
// somebody else in it is waited for.
func (p *partition) open(ctx context.Context) error {
	p.state.notReady("taking over " + p.snapshots().String())
	return p.away.Retry(ctx, func() (err error) {
		if p.session, err = kafka.OpenSession(ctx, p.keeper.compactor.Kafka, p.snapshots()); err != nil {
			p.state.notReady(err.Error())
		}
		return err
	})
}

func (p *partition) snapshots() streams.Partition {
	return streams.Partition{Topic: p.keeper.fold.Snapshots, Partition: p.id.Partition}
}

// load loads the committed states and returns where events go on.
func (p *partition) load(ctx context.Context) (int64, error) {
	p.state.notReady("loading snapshots")
	p.memory.Reset()
	p.replay.states = newStates(p.memory)
	loading := snapshot.NewLoading(p.keeper.source, p.id.Partition, snapshot.Beginning)
	loading.Digest, loading.First = p.keeper.fold.Digest, p.session.Start()
	told := time.Now()
	err := p.session.Load(ctx, func(r streams.Record) error {
		s, err := loading.Take(&r)
		if err != nil {
			return err
		}
		if now := time.Now(); now.Sub(told) > tick {
			told = now
			p.tell(s.Next)
		}
		return p.replay.states.load(&s)
	})
	if err != nil {
		return 0, err
	}
	p.tell(p.session.End())
	if err := loading.Usable(p.keeper.first(p.id), p.keeper.retention); err != nil {
		return 0, err
	}
	if c := loading.Checkpoint; c.Highest != snapshot.None && !c.Covered() {
		return 0, fmt.Errorf("%w: %s has a snapshot that includes offset %d of %s, and its last watermark is %d: somebody else writes to it; raise the version of the fold",
			snapshot.ErrUnusable, p.snapshots(), c.Highest, p.id, c.Watermark)
	}
	p.empty = loading.Watermark == snapshot.None
	return p.replay.states.watermark, nil
}

// tell shows what is in memory, and how far the load is.
func (p *partition) tell(loaded int64) {
	p.state.change(func(s *Progress) {
		s.Loaded, s.LoadEnd = loaded, p.session.End()
		s.Live, s.Gone, s.StateBytes = p.replay.states.live, p.replay.states.gone, p.memory.Size()
	})
}
