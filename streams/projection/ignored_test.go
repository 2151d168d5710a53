package projection

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/millrace/millrace/streams/internal/follow"
)

// TestIgnoredTypesAreBounded: a producer that writes a new type each time fills
// neither the memory nor the metrics.
func TestIgnoredTypesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		const types = 5 * follow.MaxIgnored
		for i := range types {
			e := l.paid(streamNumber(0), "1.10", 1)
			e.Type = fmt.Sprintf("Type%d", i)
			l.Kafka.Produce("orders", e)
		}
		registry := prometheus.NewRegistry()
		l.start(func(o *Options) { o.Metrics = NewMetrics(registry) })
		l.untilApplied()
		const name = "millrace_projector_ignored_events_total"
		if n, err := testutil.GatherAndCount(registry, name); err != nil || n > follow.MaxIgnored {
			t.Errorf("%d types are counted by name, %v", n, err)
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var events float64
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == name {
					events += m.GetCounter().GetValue()
				}
			}
		}
		if events != types {
			t.Errorf("%v events were counted of %d", events, types)
		}
	})
}

// TestIgnoredEventsOfADroppedBatchAreCountedOnce: the batch finds another
// position, is dropped, and read again.
func TestIgnoredEventsOfADroppedBatchAreCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		registry := prometheus.NewRegistry()
		l.weaken = blind
		l.start(func(o *Options) { o.Metrics = NewMetrics(registry) })
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		dump := l.Redis.Snapshot()
		l.pay(30)
		l.untilApplied()
		l.Redis.Restore(dump)
		e := l.paid(streamNumber(0), "1.10", 1)
		e.Type = "Refunded"
		l.Kafka.Produce("orders", e)
		l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == l.Kafka.LSO("orders")[0] })
		const want = `
			# HELP millrace_projector_ignored_events_total Events of a type that no rule names.
			# TYPE millrace_projector_ignored_events_total counter
			millrace_projector_ignored_events_total{type="Refunded",view="order"} 1
		`
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "millrace_projector_ignored_events_total"); err != nil {
			t.Error(err)
		}
	})
}

// TestTypeThatIsNoTextStopsItsPartition: a metric cannot be labelled with it.
func TestTypeThatIsNoTextStopsItsPartition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		e := l.paid(streamNumber(1), "1.10", 1)
		e.Type = "Paid\xff"
		l.Kafka.Produce("orders", e)
		l.payPartition(0, 5)
		w := l.start(nil)
		l.until("stopped partition", func() bool { return stopped(w, 1) != nil })
		if why := stopped(w, 1).Error(); !strings.Contains(why, "orders/1/0") || !strings.Contains(why, "not UTF-8") {
			t.Errorf("stopped by %s", why)
		}
		l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == 5 })
	})
}
