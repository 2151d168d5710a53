package projection

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
)

// TestRecordThatCannotBeAppliedStopsItsPartitionOnly: whatever is wrong with
// a record, what stands before it is applied, its partition stops at it by name,
// and the others go on.
func TestRecordThatCannotBeAppliedStopsItsPartitionOnly(t *testing.T) {
	cases := map[string]struct {
		change func(r *streams.Record)
		reason string
	}{
		"wrong partition":      {func(r *streams.Record) { setStream(r, streamOf(0)) }, "belongs in partition 0"},
		"no headers":           {func(r *streams.Record) { r.Headers = nil }, "header ce_type is missing"},
		"null key":             {func(r *streams.Record) { r.Key = nil }, "the key is null"},
		"null value":           {func(r *streams.Record) { r.Value = nil }, "the value of event Paid is null"},
		"unknown fingerprint":  {func(r *streams.Record) { r.Value[2] ^= 1 }, "was the schema edited? keep the former one"},
		"garbage":              {func(r *streams.Record) { r.Value = []byte("garbage") }, "Paid"},
		"truncated":            {func(r *streams.Record) { r.Value = r.Value[:len(r.Value)-1] }, "Paid"},
		"trailing bytes":       {func(r *streams.Record) { r.Value = append(r.Value, 0) }, "Paid"},
		"JSON value":           {func(r *streams.Record) { header(r, streams.HeaderContentType, "application/json; charset=utf-8") }, "content-type is application/json; charset=utf-8: JSON values are not read yet"},
		"time that is no time": {func(r *streams.Record) { header(r, streams.HeaderTime, "yesterday") }, `"yesterday" is not an RFC 3339 time`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, oneView)
				l.pay(60)
				bad := l.Kafka.Record("orders", l.paid(streamNumber(1), "1.10", 1))
				c.change(bad)
				bad.Partition = 1
				l.Kafka.ProduceRecords(bad)
				l.payPartition(1, 5)
				l.payPartition(0, 5)
				w := l.start(nil)
				l.until("stopped partition", func() bool { return stopped(w, 1) != nil })
				l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == l.Kafka.LSO("orders")[0] })
				if got := l.position(l.views[0], 1); got != bad.Offset {
					t.Errorf("partition 1 stopped at %d, the record is at %d", got, bad.Offset)
				}
				why := stopped(w, 1).Error()
				if !strings.Contains(why, fmt.Sprintf("orders/1/%d", bad.Offset)) || !strings.Contains(why, c.reason) {
					t.Errorf("the error does not name the record and %q: %s", c.reason, why)
				}
				if not := strings.Join(w.NotReady(), "\n"); !strings.Contains(not, "orders/1") || strings.Contains(not, "orders/0") {
					t.Errorf("not ready: %s", not)
				}
			})
		})
	}
}

func stopped(w *worker, p int32) error {
	for _, one := range w.Progress() {
		if one.Partition == w.lab.at(p) {
			return one.Err
		}
	}
	return nil
}

// streamNumber is the first stream that belongs in a partition.
func streamNumber(p int32) int {
	for n := 0; ; n++ {
		if streams.PartitionOf([]byte(fmt.Sprintf("order-%d", n)), partitions) == p {
			return n
		}
	}
}

func streamOf(p int32) string { return fmt.Sprintf("order-%d", streamNumber(p)) }

func setStream(r *streams.Record, id string) {
	r.Key = []byte(id)
	header(r, streams.HeaderSubject, id)
}

func header(r *streams.Record, name, value string) {
	for i := range r.Headers {
		if r.Headers[i].Key == name {
			r.Headers[i].Value = []byte(value)
		}
	}
}

// TestForeignValueStopsItsPartitionByName: somebody overwrote a field with text.
func TestForeignValueStopsItsPartitionByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(60)
		w := l.start(nil)
		l.untilApplied()
		id := l.views[0].ID(DefaultPrefix)
		if err := l.Redis.Client().HSet(t.Context(), id.RowKey(streamOf(1)), "paid", "much").Err(); err != nil {
			t.Fatal(err)
		}
		l.pay(60)
		l.until("stopped partition", func() bool { return stopped(w, 1) != nil })
		if why := stopped(w, 1).Error(); !strings.Contains(why, streamOf(1)) || !strings.Contains(why, `"paid"`) {
			t.Errorf("the error does not name row and field: %s", why)
		}
		if stopped(w, 0) != nil || stopped(w, 2) != nil {
			t.Error("another partition stopped")
		}
	})
}

// TestChangedRulesAreRefused without a raised version, and what cannot change
// a row is not.
func TestChangedRulesAreRefused(t *testing.T) {
	changes := map[string]struct {
		from, to string
		refused  bool
	}{
		"an expression": {`"=data.amount"`, `"=data.amount * 2"`, true},
		"a field":       {"payments: 1", "number: 1", true},
		"a comment":     {"on_error: stop", "on_error: stop # as ever", false},
		"white space":   {`"=data.amount"`, `"= data.amount "`, false},
	}
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, oneView)
				l.pay(20)
				first := l.start(nil)
				l.untilApplied()
				first.stop()
				l.views = l.compile(strings.Replace(oneView, c.from, c.to, 1))
				second := l.start(nil)
				l.pay(20)
				if !c.refused {
					l.untilApplied()
					return
				}
				wantDigestError(t, second)
				if b := l.bookkeeping(l.views[0]); b.Epochs[orders(0)] != 1 {
					t.Errorf("the refused worker took partitions over: epochs %v", b.Epochs)
				}
			})
		})
	}
}

func wantDigestError(t *testing.T, w *worker) {
	t.Helper()
	var err error
	select {
	case err = <-w.done:
		w.done <- err
	case <-time.After(time.Minute):
		t.Fatal("the worker goes on, though the rules are others")
	}
	var digest *DigestError
	if !errors.As(err, &digest) || !strings.Contains(err.Error(), "raise") {
		t.Errorf("want a digest error that says to raise the version, got %v", err)
	}
}

// TestOtherEngineBesideIsRefused: a worker whose folds have another number meets
// rows of this one, and this one leaves when the other has defined the view.
func TestOtherEngineBesideIsRefused(t *testing.T) {
	onGrounds(t, oneView, func(l *lab) {
		l.pay(20)
		running := l.start(nil)
		l.untilApplied()
		newer := *l.views[0]
		newer.define(Layout, FoldVersion+1)
		l.views = []*View{&newer}
		wantDigestError(l.t, l.start(nil))

		// the other engine builds the view anew, beside the one that still runs
		l.restore(l, nil)
		store := NewStore(l.Redis.Client(), newer.ID(l.prefix))
		d := *running.readers.All()[0].store.definition.Load()
		d.Digest = newer.Digest
		if err := store.Define(l.t.Context(), d); err != nil {
			l.t.Fatal(err)
		}
		l.pay(20)
		wantDigestError(l.t, running)
		if rows := l.rows(&newer); len(rows) != 0 {
			l.t.Errorf("the old engine wrote %d rows of the new one", len(rows))
		}
	})
}

// TestTopicThatChangedIsRefused: more partitions move keys.
func TestTopicThatChangedIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(20)
		w := l.start(nil)
		l.untilApplied()
		w.stop()
		if _, err := l.Kafka.Admin().UpdatePartitions(t.Context(), partitions+1, "orders"); err != nil {
			t.Fatal(err)
		}
		w = l.start(nil)
		err := <-w.done
		w.done <- err
		var changed *TopicChangedError
		if !errors.As(err, &changed) {
			t.Errorf("got %v", err)
		}
	})
}

// TestRedisAndKafkaThatAreAwayAreWaitedFor: nothing stops, and one line says so.
func TestRedisAndKafkaThatAreAwayAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		w := l.start(nil)
		l.pay(50)
		l.untilApplied()
		w.redis.Down()
		l.pay(50)
		l.until("not ready", func() bool { return len(w.NotReady()) > 0 })
		time.Sleep(10 * time.Minute)
		w.redis.Up()
		l.untilApplied()
		w.kafka.Down()
		time.Sleep(10 * time.Minute)
		l.pay(50)
		w.kafka.Up()
		l.untilApplied()
		if !l.right() {
			t.Error("rows are wrong")
		}
		if n := strings.Count(l.logs.String(), "redis does not answer"); n != 1 {
			t.Errorf("%d lines say that redis is away\n%s", n, l.logs)
		}
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
	})
}

// TestPositionBeyondTheLogStops: the rows are of another log, or this one was cut.
func TestPositionBeyondTheLogStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(20)
		w := l.start(nil)
		l.untilApplied()
		w.stop()
		if err := l.Redis.Client().HSet(t.Context(), l.views[0].ID(DefaultPrefix).key(keyPositions), "orders/1", 100).Err(); err != nil {
			t.Fatal(err)
		}
		w = l.start(nil)
		l.until("stopped partition", func() bool { return stopped(w, 1) != nil })
		var stop *kafka.StopError
		if err := stopped(w, 1); !errors.As(err, &stop) || !strings.Contains(err.Error(), "100") {
			t.Errorf("got %v", err)
		}
	})
}
