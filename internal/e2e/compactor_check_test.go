package e2e

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
)

// open opens the snapshot topic.
func (o *orders) open() *snapshot.Topic {
	o.t.Helper()
	var topic *snapshot.Topic
	Poll(o.t, time.Minute, func() (bool, string) {
		var err error
		topic, err = snapshot.Open(o.context(), kafka.Config{Brokers: o.Brokers}, o.topic, o.snapshots)
		return err == nil, fmt.Sprint(err)
	})
	o.t.Cleanup(topic.Close)
	return topic
}

// state is what a snapshot says.
func (o *orders) state(s *snapshot.Record) order {
	is := order{version: s.Version, gone: s.Gone}
	if s.Gone {
		return is
	}
	slots := make([]streams.Slot, 2)
	reader, err := o.codec.Reader("Order", []string{"payments", "paid"})
	if err == nil {
		err = reader.Read(s.Value, slots)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	is.payments, is.cents = slots[0].Bits, slots[1].Bits
	return is
}

// caughtUp waits until the snapshots have every event, and compares them.
func (o *orders) caughtUp(timeout time.Duration) {
	o.t.Helper()
	topic, deadline := o.open(), time.Now().Add(timeout)
	for p := range int32(orderPartitions) {
		Poll(o.t, time.Until(deadline), func() (bool, string) {
			got, at := o.resync(topic, p)
			if at < o.end(p) {
				return false, fmt.Sprintf("partition %d is at %d of %d", p, at, o.end(p))
			}
			o.same(fmt.Sprintf("partition %d", p), o.before(p, at), got)
			return true, ""
		})
	}
}

// resync loads a partition. Nobody may write to it meanwhile but compactors.
func (o *orders) resync(topic *snapshot.Topic, p int32) (map[string]order, int64) {
	o.t.Helper()
	got := map[string]order{}
	done, err := snapshot.Resync(o.context(), topic, snapshot.Options{Partition: p}, func(s *snapshot.Record) error {
		if s.Watermark == nil {
			got[string(s.Stream)] = o.state(s)
		}
		return nil
	})
	if err != nil && !errors.Is(err, snapshot.ErrUnusable) { // there is no watermark yet
		o.t.Fatal(err)
	}
	return got, done.Position
}

func (o *orders) same(what string, want, got map[string]order) {
	o.t.Helper()
	if maps.Equal(want, got) {
		return
	}
	wrong := 0
	for stream, w := range want {
		if got[stream] != w {
			if wrong++; wrong <= 5 {
				o.t.Errorf("%s: %s is %+v, want %+v", what, stream, got[stream], w)
			}
		}
	}
	o.t.Errorf("%s: %d of %d streams are wrong, and there are %d", what, wrong, len(want), len(got))
}

// stopped fails where a worker let a partition stop.
func (o *orders) stopped(workers ...*Worker) {
	o.t.Helper()
	for _, w := range workers {
		if strings.Contains(w.Log(), "partition stopped") {
			o.t.Errorf("%s let a partition stop", w.name)
		}
	}
}
