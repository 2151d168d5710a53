package streamstest

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// Txn is a transaction that is open until Commit or Abort, or until the test
// ends: for as long, it holds the LSO of every partition that it wrote to.
type Txn struct {
	kafka  *Kafka
	id     string
	client *kgo.Client
}

// maxTransaction is the longest time that a broker leaves a transaction open.
const maxTransaction = 15 * time.Minute

// Begin opens a transaction. A second one with the same ID fences the first.
// After 15 minutes the broker aborts it.
func (k *Kafka) Begin(id string) *Txn {
	k.t.Helper()
	client := k.Client(
		kgo.TransactionalID(id),
		kgo.TransactionTimeout(maxTransaction),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	)
	if err := client.BeginTransaction(); err != nil {
		k.t.Fatalf("streamstest: beginning transaction %s: %v", id, err)
	}
	return &Txn{k, id, client}
}

// Produce writes events in the transaction. It returns where they are.
func (x *Txn) Produce(topic string, events ...Event) []*streams.Record {
	x.kafka.t.Helper()
	records := x.kafka.records(topic, events)
	x.ProduceRecords(records...)
	return records
}

// ProduceRecords writes records as they are, and sets their offsets.
func (x *Txn) ProduceRecords(records ...*streams.Record) {
	x.kafka.t.Helper()
	x.kafka.produce(x.client, records)
}

// Commit ends the transaction; its records can be read when it returns.
func (x *Txn) Commit() { x.kafka.t.Helper(); x.end(kgo.TryCommit) }

// Abort ends the transaction; its records are never read.
func (x *Txn) Abort() { x.kafka.t.Helper(); x.end(kgo.TryAbort) }

func (x *Txn) end(how kgo.TransactionEndTry) {
	x.kafka.t.Helper()
	if err := x.client.EndTransaction(context.Background(), how); err != nil {
		x.kafka.t.Fatalf("streamstest: ending a transaction: %v", err)
	}
	x.client.Close()
	if x.kafka.server == nil {
		x.awaitMarkers()
	}
}

// awaitMarkers waits until brokers have written the markers of a transaction
// that has ended: they answer before.
func (x *Txn) awaitMarkers() {
	x.kafka.t.Helper()
	for end := time.Now().Add(readTimeout); ; time.Sleep(5 * time.Millisecond) {
		described, err := x.kafka.admin.DescribeTransactions(context.Background(), x.id)
		switch d := described[x.id]; {
		case err == nil && d.Err == nil && (d.State == "CompleteCommit" || d.State == "CompleteAbort"):
			return
		case time.Now().After(end):
			x.kafka.t.Fatalf("streamstest: waiting for the end of transaction %s: it is %s, %v", x.id, d.State, errors.Join(err, d.Err))
		}
	}
}
