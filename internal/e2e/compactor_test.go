package e2e

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
)

// The events and the fold of the tests of the compactor. A stream ends when it is
// closed, and begins again with the next payment.
const (
	closedSchema = `{"type":"record","name":"Closed","fields":[]}`
	orderSchema  = `{"type":"record","name":"Order","fields":[
  {"name":"payments","type":["null","long"],"default":null},
  {"name":"paid","type":["null",{"type":"bytes","logicalType":"decimal","precision":18,"scale":2}],"default":null},
  {"name":"closed","type":"boolean","default":false}]}`

	orderConfig = `
kafka:
  brokers: ["${MILLRACE_KAFKA}"]
  prefix: "${MILLRACE_KAFKA_PREFIX}"
  instance_id: "${INSTANCE:-}"
schemas:
  folder: schemas
admin:
  addr: "${MILLRACE_ADMIN}"
compactor:
  flush_interval: 200ms
  snapshots:
    - name: order
      topic: TOPIC
      state: Order
      on_error: stop
      gone: "=state.closed"
      on:
        Paid:
          add: {payments: 1, paid: "=data.amount"}
        Closed:
          set: {closed: true}
`

	orderPartitions = 6
)

// order is the state of a stream.
type order struct {
	version, payments, cents int64
	gone                     bool
}

// change is an event, and what its stream is after it.
type change struct {
	offset int64
	stream string
	after  order
}

// orders is a topic with a history of orders, and what it folds to.
type orders struct {
	*Env
	topic, snapshots string
	dir              string // with orders.yaml and schemas
	codec            *avro.Codec
	paid, closed     []byte // values of events
	client           *kgo.Client
	random           *rand.Rand

	mu      sync.Mutex
	now     map[string]order
	history [orderPartitions][]change
}

// newOrders returns an empty topic and starts no worker.
func newOrders(e *Env, seed uint64) *orders {
	t := e.t
	t.Helper()
	o := &orders{
		Env: e, dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, 0)), now: map[string]order{},
		client: e.Client(kgo.RecordPartitioner(kgo.ManualPartitioner())),
	}
	o.topic = e.TopicName("orders")
	e.kafka().CreateTopic(o.topic, orderPartitions, nil)
	o.snapshots = o.topic + ".snapshots"
	for name, text := range map[string]string{
		"schemas/Paid.avsc": paidSchema, "schemas/Closed.avsc": closedSchema, "schemas/Order.avsc": orderSchema,
		"orders.yaml": strings.ReplaceAll(orderConfig, "TOPIC", o.topic),
	} {
		path := filepath.Join(o.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if o.codec, err = avro.OpenFolder(filepath.Join(o.dir, "schemas")); err != nil {
		t.Fatal(err)
	}
	o.paid, o.closed = o.value("Paid", `{"amount":1.10}`), o.value("Closed", `{}`)
	return o
}

func (o *orders) value(eventType, data string) []byte {
	o.t.Helper()
	w, err := o.codec.JSONWriter(eventType)
	if err != nil {
		o.t.Fatal(err)
	}
	value, err := w.EncodeJSON(nil, []byte(data))
	if err != nil {
		o.t.Fatal(err)
	}
	return value
}

// compactor starts a worker.
func (o *orders) compactor(env ...string) *Worker {
	o.t.Helper()
	return o.Start(WorkerSpec{Path: binaries.Binary(o.t, "compactor"), Args: []string{"--config", "orders.yaml"}, Dir: o.dir, Env: env})
}

// load writes events of many streams at a rate, until it is stopped.
func (o *orders) load(perSecond int64, streams int) *load {
	l := startLoad(o.t, perSecond, func(n int) error { return o.write(n, streams) })
	l.allow(math.MaxInt64)
	return l
}

// finish stops the load and waits until the snapshots have all that it wrote, and
// workers are ready, of which none let a partition stop.
func (o *orders) finish(l *load, timeout time.Duration, workers ...*Worker) {
	o.t.Helper()
	l.stop()
	o.caughtUp(timeout)
	for _, w := range workers {
		w.WaitReady(time.Minute)
	}
	o.stopped(workers...)
}

// write writes n events, of which it knows when it returns where they are.
func (o *orders) write(n, streams int) error {
	records, changes := make([]*kgo.Record, n), make([]change, n)
	for i := range records {
		stream := fmt.Sprintf("order-%d", o.random.IntN(streams))
		eventType, value, after := "Paid", o.paid, o.now[stream]
		if after.version++; o.random.IntN(10) == 0 {
			eventType, value, after = "Closed", o.closed, order{version: after.version, gone: true}
		} else {
			after.gone = false
			after.payments++
			after.cents += 110
		}
		o.now[stream] = after
		records[i], changes[i] = record(o.topic, stream, eventType, value, after.version), change{stream: stream, after: after}
	}
	results := o.client.ProduceSync(context.Background(), records...)
	if err := results.FirstErr(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, r := range records {
		changes[i].offset = r.Offset
		o.history[r.Partition] = append(o.history[r.Partition], changes[i])
	}
	return nil
}

func record(topic, stream, eventType string, value []byte, version int64) *kgo.Record {
	id := fmt.Sprintf("%s/%d", stream, version)
	e := streams.Event{
		ID: id, Type: eventType, Source: "e2e", Stream: streams.StreamID(stream), Time: "2026-01-01T00:00:00Z",
		Sequence: streams.FormatSequence(version), Correlation: id, ContentType: streams.ContentTypeAvro,
	}
	r := &kgo.Record{Topic: topic, Partition: streams.PartitionOf([]byte(stream), orderPartitions), Key: []byte(stream), Value: value}
	for _, h := range e.Headers() {
		r.Headers = append(r.Headers, kgo.RecordHeader(h))
	}
	return r
}

// end is the position behind the last event of a partition.
func (o *orders) end(partition int32) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	h := o.history[partition]
	if len(h) == 0 {
		return 0
	}
	return h[len(h)-1].offset + 1
}

// before is what the events of a partition before a position fold to.
func (o *orders) before(partition int32, position int64) map[string]order {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := map[string]order{}
	for _, c := range o.history[partition] {
		if c.offset >= position {
			break
		}
		all[c.stream] = c.after
	}
	return all
}
