package compaction

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
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
	"Noted.avsc":  {Data: []byte(`{"type":"record","name":"Noted","fields":[{"name":"note","type":"string"},{"name":"other","type":"boolean","default":false}]}`)},
	"Closed.avsc": {Data: []byte(`{"type":"record","name":"Closed","fields":[]}`)},
	"Order.avsc": {Data: []byte(`{"type":"record","name":"Order","fields":[
		{"name":"payments","type":["null","long"],"default":null},
		{"name":"paid","type":["null",{"type":"bytes","logicalType":"decimal","precision":18,"scale":2}],"default":null},
		{"name":"note","type":["null","string"],"default":null},
		{"name":"other","type":["null","string"],"default":null},
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
  Noted:
    - when: "=!data.other"
      set: {note: "=data.note"}
    - when: "=data.other"
      set: {other: "=data.note"}
  Closed: {set: {closed: true}}
`

const partitions = 3

// lab is a Kafka and compactors on it.
type lab struct {
	*streamstest.Cluster
	ground
	t     *testing.T
	admin *kadm.Client // sees at once what topics there are
	codec *avro.Codec
	fold  *Fold
	kinds map[string]Kind
	logs  *streamstest.Logs
	// before is called with a worker that is about to start.
	before func(*worker)
}

// newLab returns a lab in this process.
func newLab(t *testing.T) *lab {
	t.Helper()
	return virtualGround.lab(t, streamstest.New(t, virtualGround.options()))
}

func (g ground) lab(t *testing.T, c *streamstest.Cluster) *lab {
	t.Helper()
	admin := kadm.NewClient(c.Kafka.Client(kgo.MetadataMinAge(10 * time.Millisecond)))
	l := &lab{Cluster: c, ground: g, t: t, admin: admin, codec: newCodec(t), logs: &streamstest.Logs{}}
	l.fold = l.compile(orderFold)
	return l
}

func newCodec(t *testing.T) *avro.Codec {
	t.Helper()
	codec, err := avro.Open(schemas)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

func (l *lab) compile(text string) *Fold {
	l.t.Helper()
	f, problems := Compile(parseFold(l.t, strings.Replace(text, "topic: orders", "topic: "+l.topic, 1)), l.codec, nil, l.kinds)
	if len(problems) > 0 {
		l.t.Fatal(problems)
	}
	return f
}

func parseFold(t *testing.T, text string) *rules.Fold {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		t.Fatal(err)
	}
	parsed, problems := rules.ParseFold(&node)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return parsed
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
	return streamstest.Event{Stream: l.stream(stream), Type: kind, Value: value}
}

func (l *lab) stream(n int) streams.StreamID { return streams.StreamID(fmt.Sprintf("order-%d", n)) }

// pay writes n payments of 1.10 each over 20 streams.
func (l *lab) pay(n int) {
	l.t.Helper()
	l.Kafka.Produce(l.topic, l.payments(n)...)
}

func (l *lab) payments(n int) []streamstest.Event {
	l.t.Helper()
	events := make([]streamstest.Event, n)
	for i := range events {
		events[i] = l.paid(i%20, "1.10")
	}
	return events
}

// worker is one process, with a link of its own.
type worker struct {
	*Compactor
	lab    *lab
	kafka  *streamstest.Link
	cancel context.CancelFunc
	done   chan struct{} // closed when Run has returned err
	err    error
}

// start starts a compactor that owns those partitions, or all.
func (l *lab) start(change func(*Options), owned ...int32) *worker {
	l.t.Helper()
	w := &worker{lab: l, kafka: l.Kafka.Link(), done: make(chan struct{})}
	if len(owned) == 0 {
		owned = []int32{0, 1, 2}
	}
	o := Options{
		Kafka: kafka.Config{Brokers: l.Kafka.Brokers(), Dialer: w.kafka.Dial}, Folds: []*Fold{l.fold}, Config: l.config,
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
	if l.before != nil {
		l.before(w)
	}
	ctx, cancel := context.WithCancel(l.t.Context())
	w.cancel = cancel
	go func() {
		defer close(w.done)
		w.err = w.Run(ctx)
	}()
	l.t.Cleanup(func() {
		cancel()
		w.kafka.Thaw()
		w.kafka.Up()
		<-w.done
	})
	return w
}

// stop ends the worker in order.
func (w *worker) stop() {
	w.lab.t.Helper()
	w.cancel()
	if <-w.done; w.err != nil {
		w.lab.t.Errorf("the compactor left with %v", w.err)
	}
}

// once has a worker fold what there is.
func (l *lab) once() {
	l.t.Helper()
	w := l.start(nil)
	l.caughtUp()
	w.stop()
}

// kill cuts the worker off and leaves it, as kill -9 does.
func (w *worker) kill() {
	w.kafka.Down()
	w.kafka.Thaw()
	w.cancel()
}

// until waits for what is to come.
func (l *lab) until(what string, holds func() bool) {
	l.t.Helper()
	for deadline := time.Now().Add(l.patience); !holds(); time.Sleep(l.look) {
		if time.Now().After(deadline) {
			l.t.Fatalf("no %s; logged\n%s", what, l.logs)
		}
	}
}

// caughtUp waits until the watermarks have reached the LSO of the topic.
func (l *lab) caughtUp() {
	l.t.Helper()
	stable := l.Kafka.LSO(l.topic)
	l.until("watermark at the stable end", func() bool {
		marks := l.watermarks()
		for p, end := range stable {
			if marks[p] < end {
				return false
			}
		}
		return true
	})
}

// load loads the snapshots of all partitions as any reader does.
func (l *lab) load() map[string]state.Entry {
	l.t.Helper()
	got, err := l.tryLoad()
	if err != nil {
		l.t.Fatal(err)
	}
	return got
}

func (l *lab) tryLoad() (map[string]state.Entry, error) {
	got := map[string]state.Entry{}
	topic, err := snapshot.Open(l.t.Context(), kafka.Config{Brokers: l.Kafka.Brokers(), Dialer: l.Kafka.Dial}, l.fold.Topic, l.fold.Snapshots)
	if err != nil {
		return nil, err
	}
	defer topic.Close()
	for p := range int32(partitions) {
		_, err := snapshot.Resync(l.t.Context(), topic, snapshot.Options{Partition: p, Digest: l.fold.Digest}, func(r *snapshot.Record) error {
			if r.Watermark == nil {
				got[string(r.Stream)] = r.Entry
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return got, nil
}
