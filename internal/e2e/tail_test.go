package e2e

import (
	"fmt"
	"testing"
	"time"
)

// Transactions at the tail: aborted ones are never in the rows; an open one keeps
// nobody from being hot and ready, and its records are in the rows once it
// commits.
func TestTransactionsAtTheTail(t *testing.T) {
	p := newPayments(t)
	p.pay(60)
	transaction := func(name string) (end func(commit bool)) {
		x := p.kafka.Begin(p.ID + "." + name)
		for n := range int32(paidPartitions) {
			x.Produce(p.topic, p.event(streamIn(n)), p.event(streamIn(n)))
		}
		return func(commit bool) {
			if commit {
				x.Commit()
			} else {
				x.Abort()
			}
		}
	}
	transaction("aborted")(false)
	end := transaction("open")
	w := p.projector()
	w.WaitReady(time.Minute)
	p.waitHot(30 * time.Second)
	p.caughtUp(30 * time.Second)

	end(true)
	p.caughtUp(30 * time.Second)
	if n := p.sums()[streamIn(0)]; n != 3 {
		t.Errorf("%d payments of %s, want 3: the story proves nothing", n, streamIn(0))
	}
	transaction("aborted while hot")(false)
	p.caughtUp(30 * time.Second)
}

// waitHot waits until every partition has its mark and the view is live.
func (p *payments) waitHot(timeout time.Duration) {
	p.t.Helper()
	Poll(p.t, timeout, func() (bool, string) {
		marks := p.Redis.HLen(p.context(), p.Prefix+"{order.1}:m:hot").Val()
		live := p.Redis.Get(p.context(), p.Prefix+"view:order").Val()
		return marks == paidPartitions && live == "1", fmt.Sprintf("%d partitions are hot, the live version is %q", marks, live)
	})
}

// A topic that was compacted has holes, at its tail, too, and one partition
// without any record: the view becomes hot, and its rows are of what is left.
func TestCompactedHolesAndEmptyPartitions(t *testing.T) {
	p := paymentsOn(t)
	p.configure("accept_retention: false", "accept_retention: true")
	settings := map[string]*string{}
	for name, value := range map[string]string{
		"cleanup.policy": "compact", "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01",
		"min.compaction.lag.ms": "0", "max.compaction.lag.ms": "1000",
	} {
		settings[name] = &value
	}
	p.kafka.CreateTopic(p.topic, paidPartitions, settings)
	holes := func() (n int64) {
		for _, stable := range p.kafka.LSO(p.topic) {
			n += stable
		}
		return n - int64(len(p.kafka.Read(p.topic)))
	}
	// segments roll when something is appended
	Poll(t, time.Minute, func() (bool, string) {
		for n := range int32(paidPartitions - 1) {
			p.kafka.Produce(p.topic, p.event(streamIn(n)), p.event(streamIn(n)))
		}
		time.Sleep(300 * time.Millisecond)
		return holes() > 50, "Kafka compacts nothing"
	})
	x := p.kafka.Begin(p.ID + ".tail")
	for n := range int32(paidPartitions - 1) {
		x.Produce(p.topic, p.event(streamIn(n)))
	}
	x.Abort()
	p.projector().WaitReady(time.Minute)
	p.waitHot(30 * time.Second)
	p.WaitCaughtUp(30*time.Second, p.topic, paidView)
	if n := len(p.Rows(paidView, 1)); n != paidPartitions-1 {
		t.Errorf("%d rows, want %d", n, paidPartitions-1)
	}
}
