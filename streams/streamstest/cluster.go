package streamstest

import (
	"context"
	"net"
	"testing"
)

// Options say what a [Cluster] begins with.
type Options struct {
	// Topics are created at the start: the number of partitions by name.
	Topics map[string]int32
	// Brokers is the number of Kafka's brokers, where [New] starts it. Default: 1.
	Brokers int
}

// Cluster is a Kafka and a Redis that live as long as a test.
type Cluster struct {
	Kafka *Kafka
	Redis *Redis
}

// New starts a cluster. It is closed when the test ends, after everything that
// the test registered later.
func New(t testing.TB, o Options) *Cluster {
	t.Helper()
	return &Cluster{Kafka: newKafka(t, o), Redis: newRedis(t)}
}

// DialFunc opens a connection; the dialers of kgo and go-redis have this type.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)
