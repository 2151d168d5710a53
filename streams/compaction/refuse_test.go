package compaction

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/streamstest"
)

// stopped is why a partition of a worker has stopped.
func (w *worker) stopped(partition int32) error {
	for _, p := range w.Progress() {
		if p.Partition.Partition == partition {
			return p.Err
		}
	}
	return nil
}

// bad makes a record that cannot be folded, of a stream of partition 1.
var bad = map[string]func(l *lab, stream int) *streams.Record{
	"garbage": func(l *lab, stream int) *streams.Record {
		return l.damaged(stream, func(r *streams.Record) { r.Value = []byte("garbage") })
	},
	"unknown fingerprint": func(l *lab, stream int) *streams.Record {
		return l.damaged(stream, func(r *streams.Record) { r.Value[2] ^= 1 })
	},
	"trailing bytes": func(l *lab, stream int) *streams.Record {
		return l.damaged(stream, func(r *streams.Record) { r.Value = append(r.Value, 0) })
	},
	"another type": func(l *lab, stream int) *streams.Record {
		return l.damaged(stream, func(r *streams.Record) { r.Value = l.event("Closed", stream, "{}").Value })
	},
	"JSON": func(l *lab, stream int) *streams.Record {
		e := l.paid(stream, "1.10")
		e.ContentType = streams.ContentTypeJSON
		return l.Kafka.Record("orders", e)
	},
	"wrong partition": func(l *lab, _ int) *streams.Record {
		r := l.Kafka.Record("orders", l.paid(in(0, 1)[0], "1.10"))
		r.Partition = 1
		return r
	},
	"no headers": func(l *lab, stream int) *streams.Record {
		return l.damaged(stream, func(r *streams.Record) { r.Headers = nil })
	},
	"no key": func(l *lab, stream int) *streams.Record {
		return l.damaged(stream, func(r *streams.Record) { r.Key = nil })
	},
	"null": func(l *lab, stream int) *streams.Record {
		return l.damaged(stream, func(r *streams.Record) { r.Value = nil })
	},
	"sum that does not fit": func(l *lab, stream int) *streams.Record {
		const most = "9000000000000000.00"
		l.Kafka.Produce("orders", l.paid(stream, most))
		return l.Kafka.Record("orders", l.paid(stream, most))
	},
	"state that does not fit": func(l *lab, stream int) *streams.Record {
		const kilo = 1000
		half := strings.Repeat("x", 600*kilo)
		l.Kafka.Produce("orders", l.event("Noted", stream, fmt.Sprintf(`{"note":%q}`, half)))
		return l.Kafka.Record("orders", l.event("Noted", stream, fmt.Sprintf(`{"note":%q,"other":true}`, half)))
	},
}

func (l *lab) damaged(stream int, damage func(*streams.Record)) *streams.Record {
	r := l.Kafka.Record("orders", l.paid(stream, "1.10"))
	damage(r)
	return r
}

// TestBadRecordStopsItsPartitionOnly: what came before it is flushed, the error
// says where it is, the others go on. A worker that is started again stops there
// again.
func TestBadRecordStopsItsPartitionOnly(t *testing.T) {
	for name, record := range bad {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				w := l.start(func(o *Options) { o.Config.FlushInterval = later })
				l.pay(40)
				l.caughtUp()
				r := record(l, in(1, 3)[2])
				l.Kafka.ProduceRecords(r)
				l.pay(40)
				refused(l, w, r.Offset)
				w.stop()
				again := l.start(nil)
				refused(l, again, r.Offset)
				again.stop()
				if at := l.watermarks(); at[0] != l.Kafka.LSO("orders")[0] || at[2] != l.Kafka.LSO("orders")[2] {
					t.Errorf("the other partitions are at %v", at)
				}
			})
		})
	}
}

// TestRefusalStopsItsPartition: who may not write is told once, and does not load
// its snapshots again and again.
func TestRefusalStopsItsPartition(t *testing.T) {
	for _, fault := range []kfake.Fault{
		{Keys: []kmsg.Key{kmsg.InitProducerID}, TxnID: "millrace/orders.snapshots/1", Err: kerr.TransactionalIDAuthorizationFailed},
		{Keys: []kmsg.Key{kmsg.Produce}, Topic: "orders.snapshots", Err: kerr.TopicAuthorizationFailed},
	} {
		t.Run(fault.Err.Message, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				l.pay(40)
				fault.Count = -1
				refusals := l.Kafka.Server().Fault(fault)
				w := l.start(nil, 1)
				if err := w.stops(1, fault.Err.Message); !errors.Is(err, kafka.ErrRefused) {
					t.Errorf("it stopped with %v", err)
				}
				time.Sleep(time.Hour)
				if n := refusals.Hits(); n != 1 {
					t.Errorf("it was refused %d times, want 1", n)
				}
				w.stop()
			})
		})
	}
}

func refused(l *lab, w *worker, offset int64) {
	l.t.Helper()
	l.until("stopped partition", func() bool { return w.stopped(1) != nil })
	var stop *kafka.StopError
	if err := w.stopped(1); !errors.As(err, &stop) || stop.Position != offset {
		l.t.Errorf("partition 1 stopped at %v, want offset %d", err, offset)
	}
	if at := l.watermarks()[1]; at != offset {
		l.t.Errorf("the watermark is %d, want %d", at, offset)
	}
	time.Sleep(time.Minute)
	why := strings.Join(w.NotReady(), "\n")
	if place := fmt.Sprintf("record orders/1/%d: ", offset); strings.Count(why, "\n") > 0 || !strings.Contains(why, place) {
		l.t.Errorf("not ready: %s, want one line with %s", why, place)
	}
	for _, p := range []int32{0, 2} {
		if err := w.stopped(p); err != nil {
			l.t.Errorf("partition %d stopped: %v", p, err)
		}
	}
}

// TestIgnoredEventsCount: an event of a type that the fold does not name changes
// nothing but the version of its stream. It begins one, and ends or begins none
// that has ended.
func TestIgnoredEventsCount(t *testing.T) {
	onGrounds(t, func(l *lab) {
		viewed := func(n int) streamstest.Event {
			return streamstest.Event{Stream: l.stream(n), Type: "Viewed", Value: []byte("?")}
		}
		l.Kafka.Produce(l.topic, viewed(1), l.paid(2, "1.10"), viewed(2), l.paid(3, "1.10"), l.event("Closed", 3, "{}"), viewed(3))
		w := l.start(nil)
		l.caughtUp()
		l.right()
		want := model{"order-1": {version: 1}, "order-2": {version: 2, payments: 1, cents: 110}, "order-3": {version: 3, gone: true}}
		got := model{}
		for stream, e := range l.load() {
			got[stream] = l.order(e)
		}
		for _, d := range differences("a reader", want, got) {
			l.t.Error(d)
		}
		w.stop()
	})
}
