package streamstest_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/streamstest"
)

func TestProduceAndRead(t *testing.T) {
	for name, run := range map[string]func(*testing.T, func(*testing.T)){
		"plain":  func(t *testing.T, f func(*testing.T)) { f(t) },
		"bubble": synctest.Test,
	} {
		t.Run(name, func(t *testing.T) { run(t, produceAndRead) })
	}
}

func produceAndRead(t *testing.T) {
	c := streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": 3}})
	for i := range 10 {
		c.Kafka.Produce("orders",
			streamstest.Event{Stream: streams.StreamID(fmt.Sprintf("order-%d", i)), Type: "Placed", Value: []byte("v1")},
			streamstest.Event{Stream: streams.StreamID(fmt.Sprintf("order-%d", i)), Type: "Paid"})
	}
	records := c.Kafka.Read("orders")
	if len(records) != 20 {
		t.Fatalf("read %d records, want 20", len(records))
	}
	last := make(map[streams.StreamID]int64)
	for _, r := range records {
		e, err := streams.ParseEvent(r)
		if err != nil {
			t.Fatal(err)
		}
		if want := streams.PartitionOf(r.Key, 3); r.Partition != want {
			t.Errorf("%s is in partition %d, want %d", r.Key, r.Partition, want)
		}
		version, err := e.Version()
		if err != nil || version != last[e.Stream]+1 {
			t.Errorf("%s has version %d (%v) after %d", e.Stream, version, err, last[e.Stream])
		}
		last[e.Stream] = version
	}
}

func TestTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": 1}})
		event := streamstest.Event{Stream: "order-1", Type: "Placed"}

		committed := c.Kafka.Begin("a")
		committed.Produce("orders", event)
		committed.Commit()
		aborted := c.Kafka.Begin("b")
		aborted.Produce("orders", event)
		aborted.Abort()
		left := c.Kafka.Begin("c")
		at := left.Produce("orders", event)[0].Offset
		c.Kafka.Produce("orders", event)

		if got := len(c.Kafka.Read("orders")); got != 1 {
			t.Errorf("read %d records beside an aborted and an open transaction, want 1", got)
		}
		if lso := c.Kafka.LSO("orders")[0]; lso != at {
			t.Errorf("LSO %d, want %d: an open transaction holds it", lso, at)
		}
		left.Commit()
		if got := len(c.Kafka.Read("orders")); got != 3 {
			t.Errorf("read %d records after the commit, want 3", got)
		}
	})
}

func TestRetentionIsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": 1}})
		compact := "compact"
		c.Kafka.CreateTopic("snapshots", 1, map[string]*string{"cleanup.policy": &compact})
		old := c.Kafka.Record("orders", streamstest.Event{Stream: "order-1", Type: "Placed"})
		old.Timestamp = time.Now().AddDate(0, -1, 0)
		c.Kafka.ProduceRecords(old)
		c.Kafka.Server().Compact()
		if got := len(c.Kafka.Read("orders")); got != 1 {
			t.Errorf("%d records after 30 days, want 1", got)
		}
	})
}

func TestSeveralBrokers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": 6}, Brokers: 3})
		for i := range 6 {
			c.Kafka.Produce("orders", streamstest.Event{Stream: streams.StreamID(fmt.Sprint("order-", i)), Type: "Placed"})
		}
		if got := len(c.Kafka.Read("orders")); got != 6 {
			t.Errorf("read %d records, want 6", got)
		}
	})
}

// A producer whose EndTxn is cut once tries again; one without faults does not
// notice.
func TestCutEndTxn(t *testing.T) {
	for _, action := range []streamstest.Action{streamstest.CutRequest, streamstest.CutReply} {
		synctest.Test(t, func(t *testing.T) {
			c := streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": 1}})
			client, err := kgo.NewClient(kgo.SeedBrokers(c.Kafka.Brokers()...), kgo.Dialer(c.Kafka.Dial), kgo.TransactionalID("t"))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			struck := c.Kafka.MainLink().Inject(streamstest.Fault{Request: "endtxn", Nth: 2, Action: action})
			for range 2 {
				if err := client.BeginTransaction(); err != nil {
					t.Fatal(err)
				}
				client.Produce(context.Background(), &kgo.Record{Topic: "orders", Value: []byte("x")}, kgo.AbortingFirstErrPromise(client).Promise())
				if err := client.Flush(context.Background()); err != nil {
					t.Fatal(err)
				}
				if err := client.EndTransaction(context.Background(), kgo.TryCommit); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case <-struck:
			default:
				t.Error("the fault did not strike")
			}
			if got := len(c.Kafka.Read("orders")); got != 2 {
				t.Errorf("read %d records, want 2", got)
			}
		})
	}
}

func TestKafkaDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": 1}})
		client, err := kgo.NewClient(kgo.SeedBrokers(c.Kafka.Brokers()...), kgo.Dialer(c.Kafka.Dial))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		c.Kafka.MainLink().Down()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := client.Ping(ctx); err == nil {
			t.Error("a ping through a link that is down: no error")
		}
		c.Kafka.MainLink().Up()
		if err := client.Ping(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
