package e2e

import (
	"context"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
)

// TestReadersOfSnapshots: while streams change, end and begin again, and
// compaction removes what it can, readers begin with the snapshots at random
// times, go on with the events behind them, and stop at an offset. There they
// have what all events before it fold to.
func TestReadersOfSnapshots(t *testing.T) {
	for name, c := range map[string]struct {
		settings map[string]string
		streams  int
	}{
		"aggressive compaction": {map[string]string{
			"cleanup.policy": "compact", "segment.ms": "2000", "min.cleanable.dirty.ratio": "0.01",
			"min.compaction.lag.ms": "0", "max.compaction.lag.ms": "3000",
		}, 3000},
		"settings of the compactor": {nil, 3000},
	} {
		t.Run(name, func(t *testing.T) { readSnapshots(t, c.settings, c.streams) })
	}
}

func readSnapshots(t *testing.T, settings map[string]string, n int) {
	const perSecond, cuts = 5000, 100
	o := newOrders(New(t), 2)
	if settings != nil {
		configs := map[string]*string{}
		for name, value := range settings {
			configs[name] = &value
		}
		if _, err := o.Admin.CreateTopic(o.context(), orderPartitions, -1, configs, o.snapshots); err != nil {
			t.Fatal(err)
		}
	}
	w := o.compactor()
	ctx, cancel := context.WithCancel(t.Context())
	wait := o.load(ctx, perSecond, n)
	defer wait()
	defer cancel()
	w.WaitReady(time.Minute)
	random := rand.New(rand.NewPCG(3, 0))
	r := newReader(o)
	for range cuts {
		time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond)
		r.cut(random.Int32N(orderPartitions))
	}
	cancel()
	wait()
	t.Logf("%d events, %d passes, %d records loaded, %d events behind them", o.events(), r.passes, r.loaded, r.tailed)
	if settings != nil && o.delivered() >= o.written() {
		t.Error("compaction has removed nothing: that proves nothing")
	}
	o.caughtUp(time.Minute)
	o.stopped(w)
}

// reader reads snapshots and the events behind them.
type reader struct {
	*orders
	topic   *snapshot.Topic
	scanner *kafka.Scanner

	passes         int
	loaded, tailed int64
}

func newReader(o *orders) *reader {
	o.t.Helper()
	scanner, err := kafka.NewScanner(kafka.Config{Brokers: o.Brokers})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(scanner.Close)
	return &reader{orders: o, topic: o.open(), scanner: scanner}
}

// cut compares what a reader of one partition has at the end that it has now.
func (r *reader) cut(p int32) {
	r.t.Helper()
	got := map[string]order{}
	done, err := snapshot.Resync(r.context(), r.topic, snapshot.Options{Partition: p}, func(s *snapshot.Record) error {
		if s.Watermark == nil {
			got[string(s.Stream)] = r.order(s)
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	end := r.end(p)
	_, err = r.scanner.Scan(r.context(), streams.Partition{Topic: r.orders.topic, Partition: p}, done.Position, func(k streams.Record) error {
		if k.Offset < end && !done.Filter.Includes(k.Key, k.Offset) {
			r.tailed++
			got[string(k.Key)] = apply(r.t.Errorf, got[string(k.Key)], &k)
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.passes += done.Passes
	r.loaded += done.Snapshots
	r.same("a reader of partition "+strconv.Itoa(int(p))+" at "+strconv.FormatInt(end, 10), r.before(p, end), got)
}

// apply folds one event, which has to be the next of its stream.
func apply(fail func(string, ...any), o order, r *streams.Record) order {
	e, err := streams.ParseEvent(r)
	if err != nil {
		fail("%v", err)
		return o
	}
	version, err := e.Version()
	if err != nil || version != o.version+1 {
		fail("%s/%d: event %d of stream %s comes after %d", r.Topic, r.Offset, version, e.Stream, o.version)
	}
	if e.Type == "Closed" {
		return order{version: version, gone: true}
	}
	return order{version: version, payments: o.payments + 1, cents: o.cents + 110}
}

func (o *orders) events() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, h := range o.history {
		n += len(h)
	}
	return n
}

// written is how many offsets of the snapshot topic were ever used, and delivered
// how many of them still have a record.
func (o *orders) written() (offsets int64) {
	o.t.Helper()
	ends, err := o.Admin.ListCommittedOffsets(o.context(), o.snapshots)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, p := range ends[o.snapshots] {
		offsets += p.Offset
	}
	return offsets
}

func (o *orders) delivered() (offsets int64) {
	o.t.Helper()
	scanner, err := kafka.NewScanner(kafka.Config{Brokers: o.Brokers})
	if err != nil {
		o.t.Fatal(err)
	}
	defer scanner.Close()
	for p := range int32(orderPartitions) {
		pass, err := scanner.Scan(o.context(), streams.Partition{Topic: o.snapshots, Partition: p}, 0, func(streams.Record) error { return nil })
		if err != nil {
			o.t.Fatal(err)
		}
		offsets += pass.Delivered
	}
	return offsets
}
