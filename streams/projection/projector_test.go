package projection

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/rules"
	"github.com/millrace/millrace/streams/streamstest"
)

// The events and views of these tests.
const (
	paidSchema = `{"type":"record","name":"Paid","fields":[
		{"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":18,"scale":2}},
		{"name":"customer","type":"string"},
		{"name":"rate","type":"double","default":0}]}`

	paidViews = `
- name: order
  version: 1
  topics: [orders]
  key: "=stream"
  on_error: stop
  on:
    Paid:
      set: {last: "=data.amount", at: "=time"}
      add: {payments: 1, paid: "=data.amount"}
- name: customer
  version: 1
  topics: [orders]
  key: "=data.customer"
  on_error: stop
  on:
    Paid:
      add: {payments: 1, paid: "=data.amount", rates: "=data.rate"}
      max: {largest: "=data.amount"}
      latest: {order: "=stream"}
`
)

const partitions = 3

// lab is a Kafka, a Redis, and workers on them.
type lab struct {
	*streamstest.Cluster
	t     *testing.T
	codec *avro.Codec
	views []*View
	logs  *logs
	// What the next worker has to do without.
	weaken func(*Projector)
	deaf   bool
}

func newLab(t *testing.T, views string) *lab {
	t.Helper()
	codec, err := avro.Open(fstest.MapFS{"Paid.avsc": {Data: []byte(paidSchema)}})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{Cluster: streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": partitions}}), t: t, codec: codec, logs: &logs{}}
	l.views = l.compile(views)
	return l
}

func (l *lab) compile(text string) []*View {
	l.t.Helper()
	var nodes []yaml.Node
	if err := yaml.Unmarshal([]byte(text), &nodes); err != nil {
		l.t.Fatal(err)
	}
	var views []*View
	for i := range nodes {
		parsed, problems := rules.Parse(&nodes[i])
		if len(problems) > 0 {
			l.t.Fatal(problems)
		}
		v, problems := CompileView(parsed, l.codec, nil)
		if len(problems) > 0 {
			l.t.Fatal(problems)
		}
		views = append(views, v)
	}
	return views
}

// paid returns an event of a stream.
func (l *lab) paid(stream int, amount string, customer int) streamstest.Event {
	l.t.Helper()
	w, err := l.codec.Writer("Paid")
	if err != nil {
		l.t.Fatal(err)
	}
	data := fmt.Sprintf(`{"amount":%s,"customer":"c%d","rate":0.1}`, amount, customer)
	value, err := w.EncodeJSON(nil, []byte(data))
	if err != nil {
		l.t.Fatal(err)
	}
	return streamstest.Event{Stream: streams.StreamID(fmt.Sprintf("order-%d", stream)), Type: "Paid", Value: value}
}

// pay writes n payments of 1.10 each over 20 streams and 4 customers.
func (l *lab) pay(n int) {
	l.t.Helper()
	events := make([]streamstest.Event, n)
	for i := range events {
		events[i] = l.paid(i%20, "1.10", i%4)
	}
	l.Kafka.Produce("orders", events...)
}

// worker is one process, with links of its own.
type worker struct {
	*Projector
	lab          *lab
	kafka, redis *streamstest.Link
	hands        map[string]*hand
	cancel       context.CancelFunc
	done         chan error
}

// hand is an assigner that a test can make deaf.
type hand struct {
	kafka.Assigner
	deaf bool // whether Rejoin does nothing
}

func (h *hand) Rejoin() {
	if !h.deaf {
		h.Assigner.Rejoin()
	}
}

// start starts a worker that owns those partitions, or all.
func (l *lab) start(change func(*Options), owned ...int32) *worker {
	l.t.Helper()
	w := &worker{lab: l, kafka: l.Kafka.Link(), redis: l.Redis.Link(), hands: map[string]*hand{}, done: make(chan error, 1)}
	if len(owned) == 0 {
		owned = []int32{0, 1, 2}
	}
	client, err := OpenRedis(RedisConfig{Addr: l.Redis.Addr(), Dialer: w.redis.Dial})
	if err != nil {
		l.t.Fatal(err)
	}
	o := Options{
		Kafka: kafka.Config{Brokers: l.Kafka.Brokers(), Dialer: w.kafka.Dial}, Redis: client, Prefix: DefaultPrefix, Views: l.views,
		Logger: slog.New(slog.NewTextHandler(l.logs, nil)),
		Assigner: func(group string, topics []string) kafka.Assigner {
			var ps []streams.Partition
			for _, topic := range topics {
				for _, p := range owned {
					ps = append(ps, streams.Partition{Topic: topic, Partition: p})
				}
			}
			h := &hand{kafka.NewDirect(ps...), l.deaf}
			w.hands[group] = h
			return h
		},
	}
	if change != nil {
		change(&o)
	}
	if w.Projector, err = New(o); err != nil {
		l.t.Fatal(err)
	}
	if l.weaken != nil {
		l.weaken(w.Projector)
		l.weaken = nil
	}
	ctx, cancel := context.WithCancel(l.t.Context())
	w.cancel = cancel
	go func() {
		err := w.Run(ctx)
		w.done <- err
		client.Close()
	}()
	l.t.Cleanup(func() { w.stop() })
	return w
}

// stop ends a worker as SIGTERM does.
func (w *worker) stop() error {
	w.cancel()
	err := <-w.done
	w.done <- err
	return err
}

// kill ends a worker as SIGKILL does: nothing that it still does arrives.
func (w *worker) kill() {
	w.kafka.Down()
	w.redis.Down()
	w.stop()
}

// until waits, in virtual time, for something that must come true.
func (l *lab) until(what string, ok func() bool) {
	l.t.Helper()
	for range 600 {
		if ok() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	l.t.Fatalf("after a minute there is still no %s\n%s", what, l.logs)
}

// untilApplied waits until every view has applied everything that is stable.
func (l *lab) untilApplied() {
	l.t.Helper()
	lso := l.Kafka.LSO("orders")
	l.until("position at the LSO", func() bool {
		for _, v := range l.views {
			for p, stable := range lso {
				if l.position(v, p) < stable {
					return false
				}
			}
		}
		return true
	})
}

func (l *lab) position(v *View, partition int32) int64 {
	b := l.bookkeeping(v)
	if p, ok := b.Positions[streams.Partition{Topic: "orders", Partition: partition}]; ok {
		return p
	}
	return Absent
}

func (l *lab) bookkeeping(v *View) Bookkeeping {
	l.t.Helper()
	b, err := readBookkeeping(l.t.Context(), l.Redis.Client(), v.ID(DefaultPrefix))
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

func (l *lab) state(v *View) State {
	l.t.Helper()
	s, err := ReadStatus(l.t.Context(), l.Redis.Client(), v.ID(DefaultPrefix))
	if err != nil {
		l.t.Fatal(err)
	}
	return s.State
}

// rows returns the rows of a view as Redis has them.
func (l *lab) rows(v *View) map[string]map[string]string {
	l.t.Helper()
	list, err := ListRows(l.t.Context(), l.Redis.Client(), v.ID(DefaultPrefix), 1<<20)
	if err != nil {
		l.t.Fatal(err)
	}
	rows := map[string]map[string]string{}
	for _, r := range list {
		rows[r.Key] = r.Fields
	}
	return rows
}

// wantPaid compares the sums of payments with the log, row by row.
func (l *lab) wantPaid() {
	l.t.Helper()
	want := map[string]map[string]int{"order": {}, "customer": {}}
	for _, r := range l.Kafka.Read("orders") {
		if len(r.Headers) == 0 {
			continue
		}
		want["order"][string(r.Key)]++
		_, data, err := l.codec.Decode(r.Value)
		if err != nil {
			l.t.Fatal(err)
		}
		want["customer"][data.(map[string]any)["customer"].(string)]++
	}
	for _, v := range l.views {
		rows := l.rows(v)
		for key, n := range want[v.Name] {
			sum := streams.NewDecimal(110, 2).Mul(streams.NewDecimal(int64(n), 0)).String()
			if got := rows[key]; got["payments"] != fmt.Sprint(n) || got["paid"] != sum {
				l.t.Errorf("view %s, row %s: got %v, want %d payments, %s paid", v.Name, key, got, n, sum)
			}
		}
		if stored := l.bookkeeping(v).Rows; len(rows) != len(want[v.Name]) || stored != int64(len(rows)) {
			l.t.Errorf("view %s: %d rows, counted %d, want %d", v.Name, len(rows), stored, len(want[v.Name]))
		}
	}
}

// logs keeps what was logged.
type logs struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

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
