package projection

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestProjectorBuildsViewsAndStaysHot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, paidViews)
		l.pay(500)
		w := l.start(nil)
		l.untilApplied()
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot && l.state(l.views[1]) == StateHot })
		l.wantPaid()
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		l.pay(100)
		l.untilApplied()
		l.wantPaid()
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestEventsThatNoRuleNamesAreCounted by type, and move the position.
func TestEventsThatNoRuleNamesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		refunded := l.paid(1, "1.10", 1)
		refunded.Type = "Refunded"
		l.Kafka.Produce("orders", refunded, refunded, l.paid(2, "1.10", 1))
		registry := prometheus.NewRegistry()
		l.start(func(o *Options) { o.Metrics = NewMetrics(registry) })
		l.untilApplied()
		if rows := l.rows(l.views[0]); len(rows) != 1 {
			t.Errorf("rows: %v", rows)
		}
		const want = `
			# HELP millrace_projector_ignored_events_total Events of a type that no rule names.
			# TYPE millrace_projector_ignored_events_total counter
			millrace_projector_ignored_events_total{type="Refunded",view="order"} 2
		`
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "millrace_projector_ignored_events_total"); err != nil {
			t.Error(err)
		}
	})
}
