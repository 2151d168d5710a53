package projection

import (
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/streams/internal/follow"
)

// Metrics are the counters of all views of a process. One value serves one
// registry.
type Metrics struct {
	records, batches, rows            *prometheus.CounterVec
	ignored, snapshots                *prometheus.CounterVec
	stale, fenced, rollbacks, stopped *prometheus.CounterVec
	receive, process                  *prometheus.HistogramVec
	progress                          *progressCollector
}

// NewMetrics returns the metrics, registered.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "millrace", Subsystem: "projector", Name: name, Help: help}, append([]string{"view"}, labels...))
	}
	seconds := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "millrace", Subsystem: "projector", Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.0005, 2, 18),
		}, []string{"view"})
	}
	m := &Metrics{
		records:   counter("records_total", "Records that were applied."),
		batches:   counter("batches_total", "Batches that were applied, one script each."),
		rows:      counter("rows_written_total", "Rows that batches changed."),
		ignored:   counter("ignored_events_total", "Events of a type that no rule names.", "type"),
		snapshots: counter("snapshots_loaded_total", "Snapshots that were applied, also those of streams that have ended."),
		stale:     counter("stale_total", "Scripts that found another position: nothing was changed."),
		fenced:    counter("fenced_total", "Scripts that found a newer owner: nothing was changed."),
		rollbacks: counter("rollbacks_total", "Times that Redis was seen to have gone back."),
		stopped:   counter("stopped_total", "Partitions that stopped at a record or a row."),
		receive:   seconds("receive_seconds", "From the broker's timestamp of a batch's first record to its fetch."),
		process:   seconds("process_seconds", "From the fetch of a batch's first record to its rows being visible."),
		progress:  &progressCollector{},
	}
	registry.MustRegister(m.records, m.batches, m.rows, m.ignored, m.snapshots, m.stale, m.fenced, m.rollbacks, m.stopped, m.receive, m.process, m.progress)
	return m
}

// viewMetrics are the metrics of one view.
type viewMetrics struct {
	records, batches, rows, snapshots prometheus.Counter
	stale, fenced, rollbacks, stopped prometheus.Counter
	ignored                           *prometheus.CounterVec
	receive, process                  prometheus.Observer
}

func (m *Metrics) of(view string) viewMetrics {
	return viewMetrics{
		records: m.records.WithLabelValues(view), batches: m.batches.WithLabelValues(view), rows: m.rows.WithLabelValues(view),
		snapshots: m.snapshots.WithLabelValues(view),
		stale:     m.stale.WithLabelValues(view), fenced: m.fenced.WithLabelValues(view),
		rollbacks: m.rollbacks.WithLabelValues(view), stopped: m.stopped.WithLabelValues(view),
		ignored: m.ignored.MustCurryWith(prometheus.Labels{"view": view}),
		receive: m.receive.WithLabelValues(view), process: m.process.WithLabelValues(view),
	}
}

// progressCollector computes the gauges when they are asked for.
type progressCollector struct {
	of atomic.Pointer[func() []Progress]
}

// watch says whose progress is shown.
func (c *progressCollector) watch(of func() []Progress) { c.of.Store(&of) }

var gauges = struct{ behind, lag, ratio, eta, position, load *prometheus.Desc }{
	behind:   gauge("behind_seconds", "Age of the last applied record where more are waiting, before the first one that of what waits; 0 at the stable end."),
	lag:      gauge("lag_records_max", "Upper bound of the records that wait: offsets between may hold none."),
	ratio:    gauge("rebuild_progress_ratio", "Position as a share of the stable end."),
	eta:      gauge("rebuild_eta_seconds", "Estimated time to the stable end at the rate of the last 10 to 20 seconds."),
	position: gauge("position", "Next offset to apply."),
	load:     gauge("load_progress_ratio", "Position in the snapshots as a share of their end, while they are loaded."),
}

func gauge(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("millrace_projector_"+name, help, []string{"view", "topic", "partition"}, nil)
}

// Describe implements [prometheus.Collector].
func (c *progressCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{gauges.behind, gauges.lag, gauges.ratio, gauges.eta, gauges.position, gauges.load} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *progressCollector) Collect(ch chan<- prometheus.Metric) {
	of := c.of.Load()
	if of == nil {
		return
	}
	for _, p := range (*of)() {
		set := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, p.View, p.Partition.Topic, strconv.Itoa(int(p.Partition.Partition)))
		}
		set(gauges.behind, p.Behind.Seconds())
		set(gauges.lag, float64(max(0, p.Stable-p.Position)))
		set(gauges.ratio, p.Ratio())
		set(gauges.eta, p.Remaining().Seconds())
		set(gauges.position, float64(p.Position))
		if p.Load != nil {
			set(gauges.load, follow.Share(p.Load.Position, p.Load.End))
		}
	}
}
