package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// brokersRun is an import and two workers on a Kafka of three nodes.
type brokersRun struct {
	*payments
	cluster *Cluster
	load    *feed
	workers []*Worker
	fed     int // payments of each stream
}

const brokersStreams = 300

// Each broker of three is killed while events are imported and projected, in the
// end two at once: nothing is lost, nothing is doubled, no partition stops, and
// whoever is left waits for those that are away.
func TestKilledBrokers(t *testing.T) {
	began := time.Now()
	e := New(t)
	b := &brokersRun{cluster: StartCluster(t)}
	e.UseCluster(b.cluster)
	b.payments = paymentsIn(e)
	b.configure("projector:\n", "projector:\n  batch_max_ops: 200\n  cold_batch_max_ops: 200\n")
	b.Proxy().Delay(5 * time.Millisecond)
	b.load = b.importer()
	b.feed()
	b.workers = []*Worker{b.projector("INSTANCE=one"), b.projector("INSTANCE=two")}
	b.goesOn()

	for _, killed := range [][]int{{1}, {2}, {1, 3}} {
		b.feed()
		for _, n := range killed {
			b.cluster.Kill(n)
		}
		b.midst(killed)
		b.feed()
		if len(killed) == 1 { // of two the majority is left
			b.goesOn()
		} else {
			waitLog(b.workers[0], 30*time.Second, "kafka does not answer")
		}
		b.cluster.Start()
		b.goesOn()
		b.waitInSync()
		t.Logf("%v: brokers %v were away and are back", time.Since(began).Round(time.Second), killed)
	}
	b.load.end(0)
	b.caughtUp(time.Minute)
	b.each(brokersStreams, b.fed)
	for _, w := range b.workers {
		w.WaitReady(30 * time.Second)
		if strings.Contains(w.Log(), "stopped") {
			t.Errorf("%s let a partition stop", w.name)
		}
	}
}

// feed gives the import some more lines.
func (b *brokersRun) feed() {
	b.t.Helper()
	const payments = 10
	b.load.pay(brokersStreams, b.fed+1, b.fed+payments)
	b.fed += payments
}

// midst looks that there is work while brokers are away.
func (b *brokersRun) midst(killed []int) {
	b.t.Helper()
	if done, fed := b.applied(), b.fed*brokersStreams; done == 0 || done >= fed {
		b.t.Errorf("when brokers %v were killed %d of %d payments were in the rows: that proves nothing", killed, done, fed)
	}
}

// goesOn waits until everything that was fed is in the rows.
func (b *brokersRun) goesOn() {
	b.t.Helper()
	Poll(b.t, time.Minute, func() (bool, string) {
		done, fed := b.applied(), b.fed*brokersStreams
		return done == fed, fmt.Sprintf("%d of %d payments are in the rows", done, fed)
	})
}

// applied is how many payments are in the rows.
func (b *brokersRun) applied() (sum int) {
	b.t.Helper()
	for _, row := range b.Rows(paidView, 1) {
		n, err := strconv.Atoi(row["payments"])
		if err != nil {
			b.t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// waitInSync waits until every replica of the topic has what its leader has, or
// the next kill might leave too few.
func (b *brokersRun) waitInSync() {
	b.t.Helper()
	Poll(b.t, time.Minute, func() (bool, string) {
		topics, err := b.Admin.ListTopics(b.context())
		if err != nil {
			return false, err.Error()
		}
		for _, topic := range topics {
			for _, p := range topic.Partitions {
				if len(p.ISR) < 3 {
					return false, fmt.Sprintf("partition %s/%d is in sync on %v", p.Topic, p.Partition, p.ISR)
				}
			}
		}
		return true, ""
	})
}
