package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/state"
)

// aggressive has the cleaner of a real Kafka remove what was replaced within
// seconds, as long as somebody appends.
var aggressive = map[string]string{
	"segment.ms": "2000", "min.cleanable.dirty.ratio": "0.01", "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "3000",
}

// ground is a source and its snapshots on a real Kafka, and a writer that
// replaces them all the time.
type ground struct {
	t                 *testing.T
	config            kafka.Config
	source, snapshots string
	topics            map[string]kafka.Topic
	plain, client     *kgo.Client // of events; of snapshots, in transactions

	rand    *rand.Rand
	streams int
	states  map[string]state.Entry

	mu     sync.Mutex
	events []int // the stream of each event
}

// realBrokers are those of the Kafka that the environment names; without one the
// test is skipped.
func realBrokers(t *testing.T) []string {
	t.Helper()
	address := os.Getenv("MILLRACE_KAFKA")
	if address == "" {
		t.Skip("MILLRACE_KAFKA is not set to the address of a Kafka; make services starts one")
	}
	return strings.Split(address, ",")
}

// onRealKafka returns topics of its own of the Kafka whose address is in the
// environment, with that many streams in them.
func onRealKafka(t *testing.T, changes map[string]string, streams int) *ground {
	t.Helper()
	brokers := realBrokers(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	name := "snapshot-test-" + uuid.NewString()
	g := &ground{
		t: t, config: kafka.Config{Brokers: brokers}, source: name, snapshots: name + ".snapshots",
		rand: rand.New(rand.NewPCG(seed, 0)), streams: streams, states: map[string]state.Entry{},
	}
	g.create(changes)
	g.plain = g.dial()
	g.client = g.dial(kgo.TransactionalID(g.config.TransactionalID(g.partition())))
	for from := 0; from < streams; from += 500 {
		all := make([]int, min(500, streams-from))
		for i := range all {
			all[i] = from + i
		}
		g.write(all, kgo.TryCommit)
	}
	return g
}

// create creates the topics and deletes them when the test ends.
func (g *ground) create(changes map[string]string) {
	g.t.Helper()
	admin, err := kafka.NewAdmin(g.config)
	if err != nil {
		g.t.Fatal(err)
	}
	defer admin.Close()
	configs := map[string]string{}
	for key, s := range settings {
		configs[key] = s.value
	}
	for key, value := range changes {
		configs[key] = value
	}
	for topic, configs := range map[string]map[string]string{g.source: nil, g.snapshots: configs} {
		if err := admin.CreateTopic(g.t.Context(), kafka.TopicSpec{Name: topic, Partitions: 1, Configs: configs}); err != nil {
			g.t.Fatal(err)
		}
	}
	if g.topics, err = admin.Topics(g.t.Context(), g.source); err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() {
		client := g.dial()
		if _, err := kadm.NewClient(client).DeleteTopics(context.WithoutCancel(g.t.Context()), g.source, g.snapshots); err != nil {
			g.t.Error(err)
		}
		client.Close()
	})
}

func (g *ground) dial(opts ...kgo.Opt) *kgo.Client {
	g.t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(g.config.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(client.Close)
	return client
}

// partition is that of the snapshots.
func (g *ground) partition() streams.Partition { return streams.Partition{Topic: g.snapshots} }

func streamName(n int) string { return fmt.Sprintf("order-%d", n) }

// foldHashes is a fold that sees every event, and their order. The states are so
// large that a partition takes many fetches.
func foldHashes(before state.Entry, offset int64) state.Entry {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64(before.Value[:len(before.Value):len(before.Value)], uint64(offset)))
	value := make([]byte, 600)
	rand.NewChaCha8(seed).Read(value)
	return state.Entry{Offset: offset, Version: before.Version + 1, Value: value}
}

// write has an event happen to each of these streams, and writes their snapshots
// and a watermark in a transaction that ends so. What was aborted is written again.
func (g *ground) write(all []int, how kgo.TransactionEndTry) {
	events := make([]*kgo.Record, len(all))
	for i, n := range all {
		events[i] = &kgo.Record{Topic: g.source, Key: []byte(streamName(n)), Value: []byte("event")}
	}
	if err := g.plain.ProduceSync(g.t.Context(), events...).FirstErr(); err != nil {
		g.t.Error(err)
		return
	}
	g.mu.Lock()
	first := len(g.events)
	g.events = append(g.events, all...)
	g.mu.Unlock()
	var records []kafka.OutRecord
	for i, n := range all {
		e := foldHashes(g.states[streamName(n)], int64(first+i))
		g.states[streamName(n)] = e
		records = append(records, Encode([]byte(streamName(n)), e))
	}
	w := &Watermark{Topic: g.source, TopicID: g.topics[g.source].ID, Partitions: 1, Next: int64(first + len(all)), Digest: digest}
	mark, err := w.Encode()
	if err != nil {
		g.t.Error(err)
		return
	}
	records = append(records, mark)
	if how == kgo.TryAbort {
		g.transact(records, how)
	}
	g.transact(records, kgo.TryCommit)
}

// transact writes the records in a transaction.
func (g *ground) transact(records []kafka.OutRecord, how kgo.TransactionEndTry) {
	out := make([]*kgo.Record, len(records))
	for i, r := range records {
		out[i] = &kgo.Record{Topic: g.snapshots, Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			out[i].Headers = append(out[i].Headers, kgo.RecordHeader(h))
		}
	}
	err := g.client.BeginTransaction()
	if err == nil {
		err = g.client.ProduceSync(g.t.Context(), out...).FirstErr()
	}
	if err == nil {
		err = g.client.EndTransaction(context.WithoutCancel(g.t.Context()), how)
	}
	if err != nil {
		g.t.Error(err)
	}
}

// churn replaces so many snapshots every interval, of some again and again, until
// it is stopped. Every tenth transaction is aborted first.
func (g *ground) churn(each int, interval time.Duration) (stop func()) {
	stopped, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for round := 1; ; round++ {
			select {
			case <-stopped:
				return
			case <-ticker.C:
			}
			all := g.rand.Perm(g.streams)[:each]
			how := kgo.TryCommit
			if round%10 == 0 {
				how = kgo.TryAbort
			}
			g.write(all, how)
		}
	}()
	return sync.OnceFunc(func() { close(stopped); <-done })
}

// want is the fold of the events before an offset.
func (g *ground) want(before int64) map[string]state.Entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := map[string]state.Entry{}
	for offset, n := range g.events[:before] {
		all[streamName(n)] = foldHashes(all[streamName(n)], int64(offset))
	}
	return all
}
