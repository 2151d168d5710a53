package kafka

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/streams"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a cluster, in a bubble on a virtual network or on TCP.
type fixture struct {
	t       *testing.T
	cluster *kfake.Cluster
	config  Config
	count   int // of transactions
}

// inBubble runs fn inside synctest against a cluster on a virtual network.
func inBubble(t *testing.T, fn func(*testing.T, *fixture), opts ...kfake.Opt) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := new(kfake.VirtualNetwork)
		f := newFixture(t, append(opts, kfake.ListenFn(network.Listen))...)
		defer f.cluster.Close()
		f.config.Dialer = network.DialContext
		fn(t, f)
	})
}

// onTCP returns a cluster that listens on real ports: group joins need it.
func onTCP(t *testing.T, opts ...kfake.Opt) *fixture {
	t.Helper()
	f := newFixture(t, opts...)
	t.Cleanup(f.cluster.Close)
	return f
}

func newFixture(t *testing.T, opts ...kfake.Opt) *fixture {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{t: t, cluster: cluster, config: Config{Brokers: cluster.ListenAddrs()}}
}

func (f *fixture) topic(name string, partitions int32, configs map[string]string) {
	f.t.Helper()
	if err := f.cluster.CreateTopic(name, partitions, configs); err != nil {
		f.t.Fatal(err)
	}
}

// client returns a plain client, closed by the returned function.
func (f *fixture) client(opts ...kgo.Opt) *kgo.Client {
	f.t.Helper()
	opts = append([]kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner())}, opts...)
	client, err := kgo.NewClient(f.config.options(opts...)...)
	if err != nil {
		f.t.Fatal(err)
	}
	return client
}

// produce writes n records, one batch each, with their number as value.
func (f *fixture) produce(p streams.Partition, n int) {
	f.t.Helper()
	client := f.client()
	defer client.Close()
	f.produceBy(client, p, n)
}

func (f *fixture) produceBy(client *kgo.Client, p streams.Partition, n int) {
	f.t.Helper()
	for i := range n {
		r := &kgo.Record{
			Topic: p.Topic, Partition: p.Partition, Key: []byte("k"), Value: fmt.Appendf(nil, "%d", i),
			Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}},
		}
		if err := client.ProduceSync(f.t.Context(), r).FirstErr(); err != nil {
			f.t.Fatal(err)
		}
	}
}

// transaction begins one with n records; the caller ends it.
func (f *fixture) transaction(p streams.Partition, n int) (end func(kgo.TransactionEndTry)) {
	f.t.Helper()
	f.count++
	client := f.client(kgo.TransactionalID(fmt.Sprintf("txn-%s-%d", p, f.count)))
	if err := client.BeginTransaction(); err != nil {
		f.t.Fatal(err)
	}
	f.produceBy(client, p, n)
	return func(commit kgo.TransactionEndTry) {
		f.t.Helper()
		defer client.Close()
		if err := client.EndTransaction(context.WithoutCancel(f.t.Context()), commit); err != nil {
			f.t.Fatal(err)
		}
	}
}

// reader runs a reader until the returned function is called.
func (f *fixture) reader(opts ReaderOptions) (*Reader, func()) {
	f.t.Helper()
	r, err := NewReader(f.config, opts)
	if err != nil {
		f.t.Fatal(err)
	}
	return r, f.runs(r)
}

// runs runs a reader until what it returns is called.
func (f *fixture) runs(r *Reader) (stop func()) {
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return func() {
		cancel()
		<-done
	}
}

// until takes batches up to the first for which enough holds.
func (f *fixture) until(feed *Feed, enough func(Batch) bool) (records []streams.Record, last Batch) {
	f.t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	var position int64 = -1
	for {
		select {
		case b, ok := <-feed.Batches():
			if !ok {
				f.t.Fatalf("feed of %s closed: %v", feed.Partition(), feed.Err())
			}
			if position >= 0 && b.First != position || b.Next < b.First {
				f.t.Fatalf("batch from %d to %d after position %d", b.First, b.Next, position)
			}
			position = b.Next
			records = append(records, b.Records...)
			if enough(b) {
				return records, b
			}
		case <-deadline.C:
			f.t.Fatalf("nothing more of %s after position %d (%d records)", feed.Partition(), position, len(records))
		}
	}
}

// stableEnd says that a batch has reached at least this stable end.
func stableEnd(offset int64) func(Batch) bool {
	return func(b Batch) bool { return b.Next >= offset && b.Next >= b.Stable }
}

var p0 = streams.Partition{Topic: "t", Partition: 0}
