package e2e

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/internal/e2e/freeport"
	"github.com/millrace/millrace/internal/e2e/kafka"
)

// Cluster is a Kafka of three nodes that belongs to one test. Its methods are
// for the goroutine of the test, which fails when one does not work.
type Cluster struct {
	t     testing.TB
	kafka kafka.Cluster
}

// StartCluster starts a Kafka of three nodes for a test and stops it when the
// test ends. Where no libraries of Kafka are named the test is skipped.
func StartCluster(tb testing.TB) *Cluster {
	tb.Helper()
	libs := os.Getenv(LibsVar)
	if libs == "" {
		tb.Skipf("needs Kafka's libraries, and %s is not set; %s", LibsVar, howToStart)
	}
	const nodes = 3
	c := &Cluster{tb, kafka.Cluster{Dir: tb.TempDir(), Libs: libs, Nodes: nodes, Port: freeport.Row(tb, 2*nodes)}}
	tb.Cleanup(func() {
		for n := range nodes {
			if err := c.kafka.Node(n + 1).Kill(); err != nil {
				tb.Error(err)
			}
		}
	})
	c.Start()
	return c
}

// UseCluster makes a Kafka that belongs to the test that of the environment: for
// its own clients, and for workers that are started later.
func (e *Env) UseCluster(c *Cluster) {
	e.t.Helper()
	brokers, admin := e.Brokers, e.Admin
	e.Brokers = c.kafka.Brokers()
	e.Admin = kadm.NewClient(e.Client())
	e.t.Cleanup(func() { e.Brokers, e.Admin = brokers, admin })
}

// Start starts the nodes that were killed, with the data that they had, and
// waits until all answer.
func (c *Cluster) Start() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := c.kafka.Start(ctx); err != nil {
		c.t.Fatal(err)
	}
}

// Kill ends a node at once, as kill -9 does. They are counted from 1.
func (c *Cluster) Kill(node int) {
	c.t.Helper()
	if err := c.kafka.Node(node).Kill(); err != nil {
		c.t.Fatal(err)
	}
}
