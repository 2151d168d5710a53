package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/streams/snapshot"
)

// TestCompactorsKilledAtEachStep: three workers kill themselves before and after
// each request that an owner sends, from joining its group over its load to its
// flush, 60 times in all, while events come. Each is started again at once, to die
// at another step.
func TestCompactorsKilledAtEachStep(t *testing.T) {
	const kills, names = 60, 3
	o := newOrders(New(t), 7)
	first := o.compactor("INSTANCE=0")
	first.WaitReady(time.Minute)
	l := o.load(1000, 300)
	defer l.stop()
	Poll(t, time.Minute, func() (bool, string) { return o.marks() > 1000, "the worker writes nothing" })
	first.Kill()

	kinds := o.ownerSteps()
	whole(t, kinds, o.die("compactor", names, drawn(kinds, kills, rand.New(rand.NewPCG(8, 0)))))
	workers := make([]*Worker, names)
	for n := range workers {
		workers[n] = o.compactor("INSTANCE=" + itoa(n))
	}
	workers[0].WaitReady(time.Minute)
	o.finish(l, 2*time.Minute, workers...)
	o.flushed()
}

// ownerSteps are what an owner of at least one partition asks of Kafka. Who flushes
// does not announce a partition: the produce itself names the transaction.
func (o *orders) ownerSteps() []kind {
	events, snapshots := o.topicID(o.topic), o.topicID(o.snapshots)
	return []kind{
		request(1, "JoinGroup"),
		request(1, "SyncGroup"),
		request(1, "OffsetFetch"),
		request(1, "Heartbeat"),
		request(1, "OffsetCommit"),
		request(1, "ListOffsets of the LSO of events", listing(o.topic, orderPartitions, true)),
		request(2, "InitProducerID"),
		request(2, "ListOffsets of the first snapshot", listing(o.snapshots, 1, false), []byte(firstOffset)),
		request(2, "ListOffsets of the end of snapshots", listing(o.snapshots, 1, false), []byte(endOffset)),
		request(2, "ListOffsets of the LSO of snapshots", listing(o.snapshots, 1, true)),
		request(2, "Fetch of snapshots", snapshots),
		request(3, "Fetch of events", events),
		request(3, "Produce", snapshots),
		request(3, "EndTxn"),
	}
}

// whole fails where workers have sent what is no step, but for what only looks for
// the others.
func whole(t *testing.T, kinds []kind, lives []life) {
	t.Helper()
	known := map[string]bool{"ApiVersions": true, "Metadata": true, "FindCoordinator": true, "DescribeConfigs": true}
	for _, k := range kinds {
		known[k.Fault.Request] = true
	}
	for _, l := range lives {
		for _, name := range l.sent() {
			if !known[name] {
				t.Errorf("%s has sent %s, and none was killed there", l.name, name)
				known[name] = true
			}
		}
	}
}

// flushed looks at every flush, as any client that reads what is committed sees it:
// the watermarks rise, and what stands before each of them is what the events
// before it fold to.
func (o *orders) flushed() {
	o.t.Helper()
	var is [orderPartitions]map[string]order
	last := slices.Repeat([]int64{-1}, orderPartitions) // before that of the beginning
	watermarks := 0
	for _, r := range o.kafka().Read(o.snapshots) {
		s, err := snapshot.Parse(r)
		if err != nil {
			o.t.Fatal(err)
		}
		p := r.Partition
		if s.Watermark == nil {
			if is[p] == nil {
				is[p] = map[string]order{}
			}
			is[p][string(s.Stream)] = o.state(&s)
			continue
		}
		at := s.Watermark.Next
		if at <= last[p] {
			o.t.Fatalf("partition %d: watermark %d comes after %d", p, at, last[p])
		}
		if o.same(fmt.Sprintf("partition %d at watermark %d", p, at), o.before(p, at), is[p]); o.t.Failed() {
			o.t.FailNow() // what is behind it is wrong, too
		}
		last[p] = at
		watermarks++
	}
	o.t.Logf("%d watermarks over %d events", watermarks, o.events())
}
