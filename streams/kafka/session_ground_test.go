package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

// ground is where sessions of one partition are opened.
type ground struct {
	Config
	partition streams.Partition
}

// sessionCluster is a broker with the topic fines on a virtual network. It
// belongs into a synctest bubble.
func sessionCluster(t *testing.T, opts ...kfake.Opt) (*kfake.Cluster, ground) {
	t.Helper()
	var network kfake.VirtualNetwork
	opts = append(opts, kfake.ListenFn(network.Listen), kfake.Ports(9092), kfake.SeedTopics(2, "fines"))
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster, ground{
		Config{Brokers: cluster.ListenAddrs(), Dialer: network.DialContext},
		streams.Partition{Topic: "fines", Partition: 1},
	}
}

// onGrounds tells a story on a virtual broker, and on a real Kafka where the
// environment names one.
func onGrounds(t *testing.T, story func(t *testing.T, g ground)) {
	t.Helper()
	t.Run("virtual", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, g := sessionCluster(t)
			story(t, g)
		})
	})
	t.Run("real", func(t *testing.T) {
		f, spec := onRealKafka(t, 2)
		story(t, ground{f.config, streams.Partition{Topic: spec.Name, Partition: 1}})
	})
}

// bothWays tells a story twice on each ground: with the defence, where it must
// end well, and without it, where it must not, or the story proves nothing.
func bothWays(t *testing.T, story func(t *testing.T, g ground, defended bool) (right bool)) {
	t.Helper()
	for _, defended := range []bool{true, false} {
		t.Run(fmt.Sprintf("defended=%v", defended), func(t *testing.T) {
			onGrounds(t, func(t *testing.T, g ground) {
				if story(t, g, defended) != defended {
					t.Errorf("right: %v", !defended)
				}
			})
		})
	}
}

// before has fn run once, before a client sends its first request of this kind.
func (g ground) before(key kmsg.Key, fn func()) ground {
	dial := g.Dialer
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	fn = sync.OnceFunc(fn)
	g.Dialer = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return watched{conn, key, fn}, err
	}
	return g
}

// watched is a connection on which each request is written at once.
type watched struct {
	net.Conn
	key    kmsg.Key
	before func()
}

// Write looks at the request's key, which stands behind its length.
func (w watched) Write(request []byte) (int, error) {
	if kmsg.Key(binary.BigEndian.Uint16(request[4:])) == w.key {
		w.before()
	}
	return w.Conn.Write(request)
}
