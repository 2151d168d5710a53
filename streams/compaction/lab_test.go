package compaction

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/rules"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/state"
	"github.com/millrace/millrace/streams/streamstest"
)

// The events and the fold of these tests. A stream ends when it is closed, and
// begins again with the next payment.
var schemas = fstest.MapFS{
	"Paid.avsc":   {Data: []byte(`{"type":"record","name":"Paid","fields":[{"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":18,"scale":2}}]}`)},
	"Closed.avsc": {Data: []byte(`{"type":"record","name":"Closed","fields":[]}`)},
	"Order.avsc": {Data: []byte(`{"type":"record","name":"Order","fields":[
		{"name":"payments","type":["null","long"],"default":null},
		{"name":"paid","type":["null",{"type":"bytes","logicalType":"decimal","precision":18,"scale":2}],"default":null},
		{"name":"closed","type":"boolean","default":false}]}`)},
}

const orderFold = `
name: order
topic: orders
state: Order
on_error: stop
gone: "=state.closed"
on:
  Paid: {set: {closed: false}, add: {payments: 1, paid: "=data.amount"}}
  Closed: {set: {closed: true}}
`

const partitions = 3

// lab is a Kafka and compactors on it.
type lab struct {
	*streamstest.Cluster
	t     *testing.T
	codec *avro.Codec
	fold  *Fold
	logs  *logs
}

func newLab(t *testing.T) *lab {
	t.Helper()
	codec, err := avro.Open(schemas)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{
		Cluster: streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": partitions}}),
		t:       t, codec: codec, logs: &logs{},
	}
	l.fold = l.compile(orderFold)
	return l
}

func (l *lab) compile(text string) *Fold {
	l.t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		l.t.Fatal(err)
	}
	parsed, problems := rules.ParseFold(&node)
	if len(problems) > 0 {
		l.t.Fatal(problems)
	}
	f, problems := Compile(parsed, l.codec, nil, nil)
	if len(problems) > 0 {
		l.t.Fatal(problems)
	}
	return f
}

// paid is a payment into a stream.
func (l *lab) paid(stream int, amount string) streamstest.Event {
	return l.event("Paid", stream, fmt.Sprintf(`{"amount":%s}`, amount))
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

// pay writes n payments of 1.10 each over 20 streams.
func (l *lab) pay(n int) {
	l.t.Helper()
	events := make([]streamstest.Event, n)
	for i := range events {
		events[i] = l.paid(i%20, "1.10")
	}
	l.Kafka.Produce("orders", events...)
}

// worker is one process, with a link of its own.
type worker struct {
	*Compactor
	lab    *lab
	kafka  *streamstest.Link
	cancel context.CancelFunc
	done   chan error
}

// start starts a compactor that owns those partitions, or all.
func (l *lab) start(change func(*Options), owned ...int32) *worker {
	l.t.Helper()
	w := &worker{lab: l, kafka: l.Kafka.Link(), done: make(chan error, 1)}
	if len(owned) == 0 {
		owned = []int32{0, 1, 2}
	}
	o := Options{
		Kafka: kafka.Config{Brokers: l.Kafka.Brokers(), Dialer: w.kafka.Dial}, Folds: []*Fold{l.fold},
		Logger: slog.New(slog.NewTextHandler(l.logs, nil)),
		Assigner: func(_ string, topics []string) kafka.Assigner {
			var ps []streams.Partition
			for _, n := range owned {
				ps = append(ps, streams.Partition{Topic: topics[0], Partition: n})
			}
			return kafka.NewDirect(ps...)
		},
	}
	if change != nil {
		change(&o)
	}
	var err error
	if w.Compactor, err = New(o); err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(l.t.Context())
	w.cancel = cancel
	go func() { w.done <- w.Run(ctx) }()
	l.t.Cleanup(func() { cancel(); w.kafka.Thaw() })
	return w
}

// stop ends the worker in order.
func (w *worker) stop() {
	w.lab.t.Helper()
	w.cancel()
	if err := <-w.done; err != nil {
		w.lab.t.Errorf("the compactor left with %v", err)
	}
}

// until waits for what is to come.
func (l *lab) until(what string, holds func() bool) {
	l.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("no %s; logged\n%s", what, l.logs)
		}
	}
}

// caughtUp waits until the watermarks have reached the LSO of the topic.
func (l *lab) caughtUp() {
	l.t.Helper()
	l.until("watermark at the stable end", func() bool {
		marks := l.load().watermarks
		for p, stable := range l.Kafka.LSO("orders") {
			if marks[p] < stable {
				return false
			}
		}
		return true
	})
}

// loaded is what a reader of the snapshots has.
type loaded struct {
	entries    map[string]state.Entry
	watermarks map[int32]int64
	snapshots  int64
}

// load loads all partitions as any reader does.
func (l *lab) load() loaded {
	l.t.Helper()
	got := loaded{map[string]state.Entry{}, map[int32]int64{}, 0}
	cfg := kafka.Config{Brokers: l.Kafka.Brokers(), Dialer: l.Kafka.Dial}
	topic, err := snapshot.Open(l.t.Context(), cfg, l.fold.Topic, l.fold.Snapshots)
	if err != nil {
		return got // there is no such topic yet
	}
	defer topic.Close()
	for p := range int32(partitions) {
		done, err := snapshot.Resync(l.t.Context(), topic, snapshot.Options{Partition: p, Digest: l.fold.Digest}, func(r *snapshot.Record) error {
			if r.Watermark == nil {
				got.entries[string(r.Stream)] = r.Entry
			}
			return nil
		})
		if err != nil {
			l.t.Fatal(err)
		}
		got.watermarks[p] = done.Position
		got.snapshots += done.Snapshots
	}
	return got
}

// expected folds all events of the topic by a fold of the test's own.
func (l *lab) expected() map[string]string {
	l.t.Helper()
	type order struct{ payments, cents int64 }
	all, versions, gone := map[string]order{}, map[string]int{}, map[string]bool{}
	for _, r := range l.Kafka.Read("orders") {
		e, err := streams.ParseEvent(r)
		if err != nil {
			l.t.Fatal(err)
		}
		stream := string(e.Stream)
		versions[stream]++
		o := all[stream]
		if gone[stream] {
			o = order{}
		}
		switch gone[stream] = e.Type == "Closed"; e.Type {
		case "Paid":
			_, data, err := l.codec.Decode(r.Value)
			if err != nil {
				l.t.Fatal(err)
			}
			amount, err := strconv.ParseFloat(fmt.Sprint(data.(map[string]any)["amount"]), 64)
			if err != nil {
				l.t.Fatal(err)
			}
			cents := int64(math.Round(amount * 100))
			o.payments++
			o.cents += cents
		}
		all[stream] = o
	}
	want := map[string]string{}
	for stream, o := range all {
		if gone[stream] {
			want[stream] = fmt.Sprintf("version %d, gone", versions[stream])
			continue
		}
		want[stream] = fmt.Sprintf("version %d, %d payments, %d cents", versions[stream], o.payments, o.cents)
	}
	return want
}

// texts are the entries as expected writes them.
func (l *lab) texts(entries map[string]state.Entry) map[string]string {
	l.t.Helper()
	reader, err := l.codec.Reader("Order", []string{"payments", "paid"})
	if err != nil {
		l.t.Fatal(err)
	}
	got := map[string]string{}
	for stream, e := range entries {
		if e.Gone {
			got[stream] = fmt.Sprintf("version %d, gone", e.Version)
			continue
		}
		slots := make([]streams.Slot, 2)
		if err := reader.Read(e.Value, slots); err != nil {
			l.t.Fatal(err)
		}
		got[stream] = fmt.Sprintf("version %d, %d payments, %d cents", e.Version, slots[0].Int(), slots[1].Bits)
	}
	return got
}

// right checks that the snapshots are the fold of all events.
func (l *lab) right() {
	l.t.Helper()
	got, want := l.texts(l.load().entries), l.expected()
	for stream, w := range want {
		if got[stream] != w {
			l.t.Errorf("%s: %q, want %q", stream, got[stream], w)
		}
	}
	if len(got) != len(want) {
		l.t.Errorf("%d streams, want %d", len(got), len(want))
	}
}

// logs is what workers have logged.
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
