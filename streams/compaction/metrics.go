package compaction

import (
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/streams/internal/follow"
)

// Metrics are the counters of all folds of a process. One value serves one
// registry.
type Metrics struct {
	records, flushes, snapshots *prometheus.CounterVec
	ignored, fenced, stopped    *prometheus.CounterVec
	flush                       *prometheus.HistogramVec
	progress                    *progressCollector
}

const namespace, subsystem = "millrace", "compactor"

// NewMetrics returns the metrics, registered.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}, append([]string{"snapshots"}, labels...))
	}
	m := &Metrics{
		records:   counter("records_total", "Records that were folded and committed."),
		flushes:   counter("flushes_total", "Flushes that were committed, one transaction each."),
		snapshots: counter("snapshots_written_total", "Snapshots that flushes wrote."),
		ignored:   counter("ignored_events_total", "Events of a type that no rule names.", "type"),
		fenced:    counter("fenced_total", "Flushes that found a newer owner: nothing was written."),
		stopped:   counter("stopped_total", "Partitions that stopped at a record."),
		flush: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Subsystem: subsystem, Name: "flush_seconds", Help: "Time of the transaction of a flush.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 18),
		}, []string{"snapshots"}),
		progress: &progressCollector{},
	}
	registry.MustRegister(m.records, m.flushes, m.snapshots, m.ignored, m.fenced, m.stopped, m.flush, m.progress)
	return m
}

// foldMetrics are the metrics of one fold.
type foldMetrics struct {
	records, flushes, snapshots, fenced, stopped prometheus.Counter
	ignored                                      *prometheus.CounterVec
	flush                                        prometheus.Observer
}

func (m *Metrics) of(fold string) foldMetrics {
	return foldMetrics{
		records: m.records.WithLabelValues(fold), flushes: m.flushes.WithLabelValues(fold), snapshots: m.snapshots.WithLabelValues(fold),
		fenced: m.fenced.WithLabelValues(fold), stopped: m.stopped.WithLabelValues(fold),
		ignored: m.ignored.MustCurryWith(prometheus.Labels{"snapshots": fold}), flush: m.flush.WithLabelValues(fold),
	}
}

// progressCollector computes the gauges when they are asked for.
type progressCollector struct {
	of atomic.Pointer[func() []Progress]
}

// watch says whose progress is shown.
func (c *progressCollector) watch(of func() []Progress) { c.of.Store(&of) }

// gauges are those of a partition.
var gauges = []struct {
	*prometheus.Desc
	value func(Progress) float64
}{
	{gauge("behind_seconds", "Age of the last folded record where more are waiting; 0 at the stable end."), func(p Progress) float64 { return p.Behind.Seconds() }},
	{gauge("lag_records_max", "Upper bound of the records behind the watermark: offsets between may hold none."), func(p Progress) float64 { return float64(max(0, p.Stable-p.Watermark)) }},
	{gauge("load_progress_ratio", "How much of the snapshot partition was loaded."), func(p Progress) float64 { return follow.Share(p.Loaded, p.LoadEnd) }},
	{gauge("rebuild_progress_ratio", "Position as a share of the stable end."), Progress.Ratio},
	{gauge("rebuild_eta_seconds", "Estimated time to the stable end at the rate of the last 10 to 20 seconds."), func(p Progress) float64 { return p.Remaining().Seconds() }},
	{gauge("watermark", "Source offset before which every event is in the snapshots."), func(p Progress) float64 { return float64(p.Watermark) }},
	{gauge("live_streams", "Streams that have a state."), func(p Progress) float64 { return float64(p.Live) }},
	{gauge("gone_streams", "Streams that have ended."), func(p Progress) float64 { return float64(p.Gone) }},
	{gauge("state_bytes", "Memory of the states."), func(p Progress) float64 { return float64(p.StateBytes) }},
}

func gauge(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, subsystem, name), help, []string{"snapshots", "topic", "partition"}, nil)
}

// Describe implements [prometheus.Collector].
func (c *progressCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, g := range gauges {
		ch <- g.Desc
	}
}

// Collect implements [prometheus.Collector].
func (c *progressCollector) Collect(ch chan<- prometheus.Metric) {
	of := c.of.Load()
	if of == nil {
		return
	}
	for _, p := range (*of)() {
		for _, g := range gauges {
			ch <- prometheus.MustNewConstMetric(g.Desc, prometheus.GaugeValue, g.value(p), p.Fold, p.Partition.Topic, strconv.Itoa(int(p.Partition.Partition)))
		}
	}
}
