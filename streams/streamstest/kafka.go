package streamstest

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Kafka is a Kafka that lives as long as a test. It is safe for concurrent use.
type Kafka struct {
	t       testing.TB
	server  *kfake.Cluster // nil where it runs elsewhere
	brokers []string
	dial    DialFunc
	main    *Link

	client *kgo.Client // reads and writes for the test, on a link without faults
	admin  *kadm.Client

	mu    sync.Mutex
	links []*Link
	next  map[streamKey]int64 // the version of the next event
}

// firstPort is the port of the first broker, on the virtual network.
const firstPort = 9092

func newKafka(t testing.TB, o Options) *Kafka {
	t.Helper()
	var ports []int
	for i := range max(1, o.Brokers) {
		ports = append(ports, firstPort+i)
	}
	var network kfake.VirtualNetwork
	server, err := kfake.NewCluster(kfake.Ports(ports...), kfake.ListenFn(network.Listen))
	if err != nil {
		t.Fatalf("streamstest: starting Kafka: %v", err)
	}
	k := &Kafka{t: t, server: server, brokers: server.ListenAddrs(), dial: network.DialContext}
	k.begin(o)
	return k
}

// begin opens the clients of the test and creates its topics.
func (k *Kafka) begin(o Options) {
	k.t.Helper()
	k.next = make(map[streamKey]int64)
	k.main = k.Link()
	k.t.Cleanup(k.close)
	k.client = k.Client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	k.admin = kadm.NewClient(k.client)
	for topic, partitions := range o.Topics {
		k.CreateTopic(topic, partitions, nil)
	}
}

// Brokers are the addresses that clients begin with.
func (k *Kafka) Brokers() []string { return k.brokers }

// Dial opens a connection through the main link.
func (k *Kafka) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return k.main.Dial(ctx, network, address)
}

// MainLink is the link of Dial.
func (k *Kafka) MainLink() *Link { return k.main }

// Link returns a new link, for a client that is to have faults of its own.
func (k *Kafka) Link() *Link {
	l := newLink(k.dial, func() wire { return kafkaWire{} })
	k.mu.Lock()
	defer k.mu.Unlock()
	k.links = append(k.links, l)
	return l
}

// Client returns a client on a link of its own, which no fault of others
// reaches. It is closed when the test ends.
func (k *Kafka) Client(opts ...kgo.Opt) *kgo.Client {
	k.t.Helper()
	base := []kgo.Opt{
		kgo.SeedBrokers(k.Brokers()...),
		kgo.Dialer(k.Link().Dial),
		kgo.DisableClientMetrics(),
	}
	client, err := kgo.NewClient(slices.Concat(base, opts)...)
	if err != nil {
		k.t.Fatalf("streamstest: making a Kafka client: %v", err)
	}
	k.t.Cleanup(client.CloseAllowingRebalance)
	return client
}

// Admin returns an administrator's client, on a link without faults.
func (k *Kafka) Admin() *kadm.Client { return k.admin }

// CreateTopic creates a topic, which lives as long as the test. What the
// settings leave out is as everywhere, the number of replicas included, but for
// the retention, which is without an end.
func (k *Kafka) CreateTopic(topic string, partitions int32, settings map[string]*string) {
	k.t.Helper()
	forever := "-1"
	all := map[string]*string{"retention.ms": &forever}
	for name, value := range settings {
		all[name] = value
	}
	if _, err := k.admin.CreateTopic(context.Background(), partitions, -1, all, topic); err != nil {
		k.t.Fatalf("streamstest: creating topic %s: %v", topic, err)
	}
	if k.server == nil {
		k.t.Cleanup(func() { k.deleteTopic(topic) })
		k.awaitTopic(topic)
	}
}

// awaitTopic waits until brokers know a topic that was created: that takes them
// a moment.
func (k *Kafka) awaitTopic(topic string) {
	k.t.Helper()
	for end := time.Now().Add(readTimeout); ; time.Sleep(10 * time.Millisecond) {
		details, err := k.admin.ListTopics(context.Background(), topic)
		if err == nil {
			err = details.Error()
		}
		for _, p := range details[topic].Partitions {
			err = errors.Join(err, p.Err)
		}
		if err == nil {
			return
		}
		if time.Now().After(end) {
			k.t.Fatalf("streamstest: waiting for topic %s: %v", topic, err)
		}
	}
}

func (k *Kafka) deleteTopic(topic string) {
	k.t.Helper()
	if _, err := k.admin.DeleteTopic(context.Background(), topic); err != nil {
		k.t.Errorf("streamstest: deleting topic %s: %v", topic, err)
	}
}

// Server is the server itself, for what is not offered here: faults by error
// code, compaction, leaders that move. It is nil after [Connect].
func (k *Kafka) Server() *kfake.Cluster { return k.server }

func (k *Kafka) close() {
	k.mu.Lock()
	links := k.links
	k.mu.Unlock()
	for _, l := range links {
		l.close()
	}
	if k.server != nil {
		k.server.Close()
	}
}
