package streamstest

import (
	"net"
	"testing"
)

// Servers are a Kafka and a Redis that run elsewhere.
type Servers struct {
	// Brokers are addresses of Kafka.
	Brokers []string
	// Redis is the address of Redis.
	Redis string
}

// Connect returns a cluster of servers that run elsewhere, to see on real ones
// what holds on those of this process. Links, clients and topics end with the
// test; what it leaves in Redis, and the names of its topics, are its own
// affair, because others may use the servers too. Such a Redis cannot be stopped,
// wiped or restored from here: that ends the test.
func Connect(t testing.TB, s Servers, o Options) *Cluster {
	t.Helper()
	dial := new(net.Dialer).DialContext
	k := &Kafka{t: t, brokers: s.Brokers, dial: dial}
	k.begin(o)
	r := &Redis{t: t, addr: s.Redis, remote: dial}
	r.begin()
	return &Cluster{Kafka: k, Redis: r}
}

// NewRedisLink returns a link to a Redis server that is not a [Cluster]'s: the
// one that dial reaches. It is closed when the test ends.
func NewRedisLink(t testing.TB, dial DialFunc) *Link {
	return newClosedLink(t, dial, func() wire { return new(redisWire) })
}

// NewKafkaLink returns a link to a Kafka that is not a [Cluster]'s: to the brokers
// that dial reaches. It is closed when the test ends.
func NewKafkaLink(t testing.TB, dial DialFunc) *Link {
	return newClosedLink(t, dial, func() wire { return kafkaWire{} })
}

func newClosedLink(t testing.TB, dial DialFunc, wire func() wire) *Link {
	l := newLink(dial, wire)
	t.Cleanup(l.close)
	return l
}
