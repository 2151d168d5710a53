package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/streamstest"
)

// The events and views of the tests that write their own.
const (
	paidSchema = `{"type":"record","name":"Paid","fields":[
  {"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":18,"scale":2}}]}`

	paidConfig = `
kafka:
  brokers: ["${MILLRACE_KAFKA}"]
  prefix: "${MILLRACE_KAFKA_PREFIX}"
  instance_id: "${INSTANCE:-}"
redis:
  addr: "${MILLRACE_REDIS}"
  prefix: "${MILLRACE_PREFIX}"
schemas:
  folder: schemas
topics:
  TOPIC: {accept_retention: false}
admin:
  addr: "${MILLRACE_ADMIN}"
projector:
  views:
    - name: order
      version: 1
      topics: [TOPIC]
      key: "=stream"
      on_error: stop
      on:
        Paid:
          set: {at: "=time"}
          add: {payments: 1, paid: "=data.amount"}
`

	paidView       = "order"
	paidPartitions = 6
)

// payments is a topic with payments of 1.10 each, and a view that adds them up by
// stream.
type payments struct {
	*Env
	kafka  *streamstest.Kafka
	topic  string
	dir    string // with orders.yaml and schemas
	writer *avro.JSONWriter
}

// newPayments returns an empty topic of six partitions.
func newPayments(t *testing.T) *payments {
	t.Helper()
	p := paymentsOn(t)
	p.kafka.CreateTopic(p.topic, paidPartitions, nil)
	return p
}

// paymentsOn leaves it to the test to create the topic.
func paymentsOn(t *testing.T) *payments {
	t.Helper()
	return paymentsIn(New(t))
}

// paymentsIn are those of an environment.
func paymentsIn(e *Env) *payments {
	t := e.t
	t.Helper()
	p := &payments{Env: e, topic: e.TopicName("orders"), dir: t.TempDir()}
	p.kafka = e.kafka()
	p.file("schemas/Paid.avsc", paidSchema)
	p.configure()
	codec, err := avro.OpenFolder(filepath.Join(p.dir, "schemas"))
	if err != nil {
		t.Fatal(err)
	}
	if p.writer, err = codec.JSONWriter("Paid"); err != nil {
		t.Fatal(err)
	}
	return p
}

// configure writes the configuration, edited: old text, new text, ...
func (p *payments) configure(edits ...string) {
	p.t.Helper()
	text := strings.NewReplacer(edits...).Replace(paidConfig)
	p.file("orders.yaml", strings.ReplaceAll(text, "TOPIC", p.topic))
}

func (p *payments) file(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// event returns a payment.
func (p *payments) event(stream string) streamstest.Event {
	p.t.Helper()
	value, err := p.writer.EncodeJSON(nil, []byte(`{"amount":1.10}`))
	if err != nil {
		p.t.Fatal(err)
	}
	return streamstest.Event{Stream: streams.StreamID(stream), Type: "Paid", Value: value}
}

// pay writes one payment of each of n streams: all partitions have some of 60.
func (p *payments) pay(n int) {
	p.t.Helper()
	events := make([]streamstest.Event, n)
	for i := range events {
		events[i] = p.event("order-" + itoa(i))
	}
	p.kafka.Produce(p.topic, events...)
}

// streamIn returns a stream that belongs in a partition.
func streamIn(partition int32) string {
	for i := 0; ; i++ {
		if id := "order-" + itoa(i); streams.PartitionOf([]byte(id), paidPartitions) == partition {
			return id
		}
	}
}

// projector starts a worker.
func (p *payments) projector(env ...string) *Worker {
	p.t.Helper()
	return p.Start(WorkerSpec{Path: binaries.Binary(p.t, "projector"), Args: []string{"--config", "orders.yaml"}, Dir: p.dir, Env: env})
}

// row is where the row of a stream is.
func (p *payments) row(stream string) string { return p.Prefix + "{order.1}:r:" + stream }

// sums is what the log says now: the number of payments of each stream.
func (p *payments) sums() map[string]int64 {
	p.t.Helper()
	sums := map[string]int64{}
	for _, r := range p.kafka.Read(p.topic) {
		sums[string(r.Key)]++
	}
	return sums
}

// caughtUp waits until the view is at the end of the topic, and compares its rows
// with the log.
func (p *payments) caughtUp(timeout time.Duration) {
	p.t.Helper()
	p.WaitCaughtUp(timeout, p.topic, paidView)
	p.right(1)
}

// right compares the rows of a version of the view with the log.
func (p *payments) right(version int) {
	p.t.Helper()
	want, rows := p.sums(), p.Rows(paidView, version)
	for stream, n := range want {
		paid := streams.NewDecimal(110*n, 2).String()
		if got := rows[stream]; got["payments"] != fmt.Sprint(n) || got["paid"] != paid {
			p.t.Errorf("row %s is %v, want %d payments, %s paid", stream, got, n, paid)
		}
	}
	if len(rows) != len(want) {
		p.t.Errorf("%d rows, want %d", len(rows), len(want))
	}
}

// waitLog waits until a worker has logged a line with all of these.
func waitLog(w *Worker, timeout time.Duration, parts ...string) {
	w.t.Helper()
	Poll(w.t, timeout, func() (bool, string) {
		for line := range strings.Lines(w.Log()) {
			missing := 0
			for _, part := range parts {
				if !strings.Contains(line, part) {
					missing++
				}
			}
			if missing == 0 {
				return true, ""
			}
		}
		return false, fmt.Sprintf("%s has no line with %q", w.name, parts)
	})
}
