package projection

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/internal/follow"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/streamstest"
)

// TestIdleEventsCostFewScripts: events of a type that no rule names, and markers
// of transactions, move the position of a hot partition, but not with a script
// each.
func TestIdleEventsCostFewScripts(t *testing.T) {
	stories := map[string]func(l *lab, i int){
		"ignored events": func(l *lab, _ int) {
			e := l.paid(streamNumber(0), "1.10", 1)
			e.Type = "Refunded"
			l.Kafka.Produce("orders", e)
		},
		"markers": func(l *lab, i int) {
			x := l.Kafka.Begin(fmt.Sprint("txn", i))
			x.Produce("orders", l.paid(streamNumber(0), "1.10", 1))
			x.Abort()
		},
	}
	for name, write := range stories {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, oneView)
				w := l.start(nil)
				l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
				time.Sleep(10 * time.Second)
				before := w.redis.Requests("EVALSHA")
				const written = 200
				for i := range written {
					write(l, i)
					time.Sleep(5 * time.Millisecond)
				}
				l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == l.Kafka.LSO("orders")[0] })
				if n := w.redis.Requests("EVALSHA") - before; n > 40 {
					t.Errorf("%d scripts for %d writes", n, written)
				}
			})
		})
	}
}

// TestBehindIsKnownBeforeAnythingIsApplied: a worker that cannot write a single
// batch is as far behind as what waits is old.
func TestBehindIsKnownBeforeAnythingIsApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.payPartition(0, 5)
		time.Sleep(time.Hour)
		w := l.start(nil, 0)
		// the scripts before: what defines the view, each sent anew in full, and
		// what takes the partition over
		struck := w.redis.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 3, Action: streamstest.FreezeRequest})
		l.until("frozen link", func() bool { return closed(struck) })
		behind := func() time.Duration {
			for _, p := range w.Progress() {
				if p.Partition == orders(0) {
					return p.Behind
				}
			}
			return 0
		}
		if l.position(l.views[0], 0) != 0 {
			t.Fatal("something was applied")
		}
		l.until("lag", func() bool { return behind() >= time.Hour })
		w.redis.Thaw()
		l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == 5 })
		l.until("no lag", func() bool { return behind() == 0 })
	})
}

// TestBehindIsKnownBeforeAnythingIsFetched: then it is the time since the
// assignment.
func TestBehindIsKnownBeforeAnythingIsFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPartitionState(orders(0))
		for _, position := range []int64{0, 5} {
			s.applied(At(7), time.Now().Add(-24*time.Hour)) // of the assignment before
			s.taken(Stored{At(position), Absent})
			s.target(10)
			time.Sleep(time.Minute)
			if p, _ := s.progress(time.Now()); p.Behind != time.Minute {
				t.Errorf("%v behind", p.Behind)
			}
		}
	})
}

// TestRateIsThatOfLately: not that of an hour without events before, nor that of
// a time when everything was slower.
func TestRateIsThatOfLately(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPartitionState(orders(0))
		s.taken(Stored{At(0), Absent})
		s.target(0)
		position := int64(0)
		goOn := func(speed int64, long time.Duration) {
			for range long / time.Second {
				s.fetched(&kafka.Batch{Stable: 1_000_000, FetchedAt: time.Now()})
				time.Sleep(time.Second)
				position += speed
				s.applied(At(position), time.Time{})
			}
		}
		want := func(rate float64) {
			t.Helper()
			if p, _ := s.progress(time.Now()); p.Rate < 0.99*rate || p.Rate > 1.01*rate {
				t.Errorf("%.0f offsets per second, want %.0f", p.Rate, rate)
			}
		}
		time.Sleep(time.Hour)
		goOn(10, 3*time.Second)
		want(10)
		goOn(10, time.Hour)
		want(10)
		goOn(1000, 2*follow.PaceWindow)
		want(1000)
		time.Sleep(time.Minute) // nothing moves
		if p, _ := s.progress(time.Now()); p.Rate > 300 {
			t.Errorf("%.0f offsets per second while nothing moves", p.Rate)
		}
	})
}

// TestRecordThatIsRefusedIsNotCounted among those that were applied.
func TestRecordThatIsRefusedIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.payPartition(1, 4)
		bad := l.Kafka.Record("orders", l.paid(streamNumber(1), "1.10", 1))
		bad.Value = []byte("garbage")
		l.Kafka.ProduceRecords(bad)
		registry := prometheus.NewRegistry()
		w := l.start(func(o *Options) { o.Metrics = NewMetrics(registry) }, 1)
		l.until("stopped partition", func() bool { return stopped(w, 1) != nil })
		const want = `
			# HELP millrace_projector_records_total Records that were applied.
			# TYPE millrace_projector_records_total counter
			millrace_projector_records_total{view="order"} 4
		`
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "millrace_projector_records_total"); err != nil {
			t.Error(err)
		}
	})
}

// TestReconnectIsALookAtThePosition: behind a new connection may be an older
// Redis.
func TestReconnectIsALookAtThePosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		l.weaken = func(p *Projector) { p.idleCheck = 24 * time.Hour }
		w := l.start(nil)
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		dump := l.Redis.Snapshot()
		l.pay(30)
		l.untilApplied()
		w.kafka.Freeze()
		l.Redis.Restart(dump)
		l.until("rebuilding view", func() bool { return l.state(l.views[0]) == StateRebuilding })
		w.kafka.Thaw()
		l.until("right rows", l.right)
	})
}

// TestFetchesOfAllViewsShareOneBudget: many partitions and views do not multiply
// what waits in memory.
func TestFetchesOfAllViewsShareOneBudget(t *testing.T) {
	for _, c := range []struct {
		views, partitions int
		want              int32
	}{
		{1, 1, 256 << 10}, {3, 12, 256 << 10}, {0, 0, 256 << 10},
		{1, 1000, 256 << 18 / 1000}, {2, 1000, 256 << 17 / 1000}, {10, 10_000, 16 << 10},
	} {
		if got := fetchShare(c.views, c.partitions); got != c.want {
			t.Errorf("%d views of %d partitions: %d, want %d", c.views, c.partitions, got, c.want)
		}
	}
}

// TestRecordLargerThanTheFoldMemory is written at once, and the next ones do not
// suffer.
func TestRecordLargerThanTheFoldMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, strings.Replace(oneView, `set: {at: "=time"}`, `set: {at: "=data.customer"}`, 1))
		w, err := l.codec.JSONWriter("Paid")
		if err != nil {
			t.Fatal(err)
		}
		value, err := w.EncodeJSON(nil, []byte(`{"amount":1.10,"rate":0,"customer":"`+strings.Repeat("x", 600_000)+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			l.Kafka.Produce("orders", streamstest.Event{Stream: streams.StreamID(fmt.Sprintf("order-%d", i)), Type: "Paid", Value: value})
			l.pay(10)
		}
		p := l.start(func(o *Options) { o.Config.FoldMemory = 1 << 20 })
		l.untilApplied()
		if !l.right() {
			t.Error("rows are wrong")
		}
		p.stop()
		if used := p.memory.used.Load(); used != 0 {
			t.Errorf("%d bytes of the budget are still in use", used)
		}
	})
}

// TestFoldsThatAreTooLargeAreWritten, whoever holds the memory.
func TestFoldsThatAreTooLargeAreWritten(t *testing.T) {
	all := &budget{limit: 10}
	p := &partition{
		reader: &viewReader{config: Config{}.WithDefaults()}, state: newPartitionState(orders(0)),
		fold: NewFold(nil), memory: &share{of: all}, begun: time.Now(),
	}
	if p.due(false) {
		t.Error("due before anything is used up")
	}
	other := &share{of: all}
	other.set(11)
	if !p.due(false) {
		t.Error("not due although the memory is used up")
	}
	other.set(0)
	if p.due(false) {
		t.Error("due although the memory was given back")
	}
}

// TestKeptMemoryIsWithinTheBudget: what a fold keeps for the next batch counts,
// is given up when it is too much together, and not held by who has no work.
func TestKeptMemoryIsWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		for i := range 3000 {
			l.Kafka.Produce("orders", l.paid(i, "1.10", 1))
		}
		run := func(limit streams.Size) (w *worker, kept int64) {
			w = l.start(func(o *Options) { o.Prefix = fmt.Sprint(limit); o.Config.FoldMemory = limit })
			applied := func() bool {
				b, err := readBookkeeping(t.Context(), l.Redis.Client(), l.views[0].ID(fmt.Sprint(limit)))
				return err == nil && b.Rows == 3000
			}
			l.until("rows", applied)
			synctest.Wait()
			return w, w.memory.used.Load()
		}
		w, kept := run(128 * streams.MiB)
		if kept == 0 {
			t.Error("nothing was kept for a next batch")
		}
		if _, kept := run(1); kept != 0 {
			t.Errorf("%d bytes are kept and 1 is allowed", kept)
		}
		time.Sleep(time.Minute)
		if used := w.memory.used.Load(); used != 0 {
			t.Errorf("%d bytes are held by partitions without work", used)
		}
		full, _ := run(streams.GiB)
		if full.stop(); full.memory.used.Load() != 0 {
			t.Errorf("%d bytes are held by a worker that has ended", full.memory.used.Load())
		}
	})
}
