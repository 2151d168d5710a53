package projection

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/millrace/millrace/streams/streamstest"
)

// TestRevokeWaitsForTheBatchInFlight: nothing of an assignment may write when it
// has ended, so its end waits for the script that was sent.
func TestRevokeWaitsForTheBatchInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		w := l.start(nil, 0)
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		frozen := w.redis.Inject(streamstest.Fault{Request: "EVALSHA", Action: streamstest.FreezeRequest})
		l.payPartition(0, 7)
		l.until("frozen script", func() bool { return closed(frozen) })
		var assigned atomic.Int64
		for _, h := range w.hands {
			h.assigned = func() { assigned.Add(1) }
			h.Rejoin()
		}
		time.Sleep(redisTimeout / 2)
		if assigned.Load() > 0 {
			t.Error("the assignment ended while its script was on the way")
		}
		w.redis.Thaw()
		l.until("next assignment", func() bool { return assigned.Load() == 1 })
		l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == 7 })
		if !l.right() {
			t.Error("rows are wrong")
		}
	})
}

// TestWhatIsFoldedIsWrittenAtTheEnd of an assignment, so that the next owner need
// not read it again.
func TestWhatIsFoldedIsWrittenAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(20)
		w := l.start(nil)
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		e := l.paid(streamNumber(0), "1.10", 1)
		e.Type = "Refunded" // no rule names it, so it waits until the batch is old
		l.Kafka.Produce("orders", e)
		time.Sleep(20 * time.Millisecond)
		stable := l.Kafka.LSO("orders")[0]
		if l.position(l.views[0], 0) == stable {
			t.Fatal("it did not wait")
		}
		w.stop()
		if got := l.position(l.views[0], 0); got != stable {
			t.Errorf("position %d, want %d", got, stable)
		}
	})
}

// TestOpsCloseABatch: few of them while the view is hot, many while it is cold.
func TestOpsCloseABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.payPartition(0, 300)
		w := l.start(func(o *Options) { o.Config.BatchMaxOps, o.Config.ColdBatchMaxOps = 6, 600 }, 0)
		l.untilStable()
		batches := func() float64 { return testutil.ToFloat64(w.Metrics.of("order").batches) }
		cold := batches()
		l.start(nil, 1, 2)
		l.until("hot partition", func() bool { return w.Progress()[0].Hot })
		l.payPartition(0, 300)
		l.untilStable()
		// two events of two streams make 6 ops
		if hot := batches() - cold; cold > 10 || hot < 100 {
			t.Errorf("%v batches while cold, %v while hot", cold, hot)
		}
	})
}
