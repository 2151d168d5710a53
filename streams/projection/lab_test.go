package projection

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

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
	ground
	t     *testing.T
	codec *avro.Codec
	views []*View
	logs  *streamstest.Logs
	// workers are all that were started.
	workers []*worker
	// What the next worker has to do without.
	weaken func(*Projector)
	deaf   bool
	// assigned is called when the next worker is told its partitions.
	assigned func(*worker)
}

// newLab returns a lab in this process, on virtual services.
func newLab(t *testing.T, views string) *lab {
	t.Helper()
	g := virtualGround()
	return g.lab(t, streamstest.New(t, streamstest.Options{Topics: map[string]int32{g.topic: partitions}}), views)
}

func (g ground) lab(t *testing.T, c *streamstest.Cluster, views string) *lab {
	t.Helper()
	codec, err := avro.Open(fstest.MapFS{
		"Paid.avsc": {Data: []byte(paidSchema)}, "Closed.avsc": {Data: []byte(closedSchema)}, "Order.avsc": {Data: []byte(orderSchema)},
	})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{Cluster: c, ground: g, t: t, codec: codec, logs: &streamstest.Logs{}}
	l.views = l.compile(views)
	return l
}

func (l *lab) compile(text string) []*View {
	l.t.Helper()
	var nodes []yaml.Node
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(text, "[orders]", "["+l.topic+"]")), &nodes); err != nil {
		l.t.Fatal(err)
	}
	var views []*View
	for i := range nodes {
		parsed, problems := rules.Parse(&nodes[i])
		if len(problems) > 0 {
			l.t.Fatal(problems)
		}
		v, problems := CompileView(parsed, l.codec, nil, l.foldOf)
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
	return l.event("Paid", stream, fmt.Sprintf(`{"amount":%s,"customer":"c%d","rate":0.1}`, amount, customer))
}

func (l *lab) event(kind string, stream int, data string) streamstest.Event {
	l.t.Helper()
	w, err := l.codec.JSONWriter(kind)
	if err != nil {
		l.t.Fatal(err)
	}
	value, err := w.EncodeJSON(nil, []byte(data))
	if err != nil {
		l.t.Fatal(err)
	}
	return streamstest.Event{Stream: streams.StreamID(fmt.Sprintf("order-%d", stream)), Type: kind, Value: value}
}

// pay writes n payments of 1.10 each over 20 streams and 4 customers.
func (l *lab) pay(n int) {
	l.t.Helper()
	events := make([]streamstest.Event, n)
	for i := range events {
		events[i] = l.paid(i%20, "1.10", i%4)
	}
	l.Kafka.Produce(l.topic, events...)
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
	deaf     bool   // whether Rejoin does nothing
	assigned func() // called before the worker hears of partitions; may be nil
}

func (h *hand) Run(ctx context.Context, l kafka.Listener) error {
	tell := l.Assigned
	l.Assigned = func(ctx context.Context, ps []streams.Partition) {
		if h.assigned != nil {
			h.assigned()
		}
		tell(ctx, ps)
	}
	return h.Assigner.Run(ctx, l)
}

func (h *hand) Rejoin() {
	if !h.deaf {
		h.Assigner.Rejoin()
	}
}

// start starts a worker that owns those partitions, or all. On real services its
// group says which it owns.
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
		Kafka: kafka.Config{Brokers: l.Kafka.Brokers(), Dialer: w.kafka.Dial, Prefix: l.groups}, Redis: client, Prefix: l.prefix, Views: l.views,
		Logger: slog.New(slog.NewTextHandler(l.logs, nil)),
	}
	deaf, assigned := l.deaf, l.assigned
	l.assigned = nil
	o.Assigner = func(group string, topics []string) kafka.Assigner {
		h := &hand{Assigner: l.assigner(o.Kafka, group, l.partitions(topics, owned)), deaf: deaf}
		if assigned != nil {
			h.assigned = func() { assigned(w) }
		}
		w.hands[group] = h
		return h
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
	l.workers = append(l.workers, w)
	l.t.Cleanup(func() { w.stop() })
	return w
}

func (l *lab) partitions(topics []string, numbers []int32) (ps []streams.Partition) {
	for _, topic := range topics {
		for _, p := range numbers {
			ps = append(ps, streams.Partition{Topic: topic, Partition: p})
		}
	}
	return ps
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

// until waits for something that must come true.
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
	lso := l.Kafka.LSO(l.topic)
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
	if p, ok := b.Positions[l.at(partition)]; ok {
		return p.Offset
	}
	return Absent
}

func (l *lab) bookkeeping(v *View) Bookkeeping {
	l.t.Helper()
	b, err := readBookkeeping(l.t.Context(), l.Redis.Client(), v.ID(l.prefix))
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

func (l *lab) state(v *View) State {
	l.t.Helper()
	s, err := ReadStatus(l.t.Context(), l.Redis.Client(), v.ID(l.prefix))
	if err != nil {
		l.t.Fatal(err)
	}
	return s.State
}

// rows returns the rows of a view as Redis has them.
func (l *lab) rows(v *View) map[string]map[string]string {
	l.t.Helper()
	list, err := ListRows(l.t.Context(), l.Redis.Client(), v.ID(l.prefix), 1<<20)
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
	for _, r := range l.Kafka.Read(l.topic) {
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

func orders(p int32) streams.Partition { return streams.Partition{Topic: "orders", Partition: p} }

// at is a partition of the lab's topic.
func (l *lab) at(p int32) streams.Partition { return streams.Partition{Topic: l.topic, Partition: p} }

// payPartition writes n payments into one partition.
func (l *lab) payPartition(p int32, n int) {
	l.t.Helper()
	var events []streamstest.Event
	for i := 0; len(events) < n; i++ {
		e := l.paid(i%20, "1.10", i%4)
		if streams.PartitionOf([]byte(e.Stream), partitions) == p {
			events = append(events, e)
		}
	}
	l.Kafka.Produce(l.topic, events...)
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
