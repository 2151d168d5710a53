package e2e

import (
	"fmt"
	"strconv"
	"testing"
	"time"
)

// A worker with a name of its own is killed and started again at once: its
// partitions go on long before its session of 10 s is over. Without a name they
// do not.
func TestKilledStaticMember(t *testing.T) {
	const limit = 5 * time.Second
	for _, named := range []bool{true, false} {
		t.Run(fmt.Sprintf("named=%t", named), func(t *testing.T) {
			p := newPayments(t)
			p.pay(60)
			start := func(name string) *Worker {
				if !named {
					name = ""
				}
				return p.projector("INSTANCE=" + name)
			}
			killed, other := start("one"), start("two")
			killed.WaitReady(time.Minute)
			other.WaitReady(time.Minute)
			p.caughtUp(30 * time.Second)
			killed.Kill()
			began := time.Now()
			start("one")
			p.pay(60)
			p.caughtUp(time.Minute)
			if took := time.Since(began); (took < limit) != named {
				t.Errorf("partitions stood still for %s; the limit is %s", took, limit)
			}
		})
	}
}

// Workers are asked to leave while they have batches on their way: each does, in
// time, with code 0, and nothing is lost or doubled.
func TestTerminatedUnderLoad(t *testing.T) {
	p := newPayments(t)
	p.configure("projector:\n", "projector:\n  batch_max_ops: 20\n  cold_batch_max_ops: 20\n")
	p.Proxy().Delay(5 * time.Millisecond)
	workers := []*Worker{p.projector(), p.projector()}
	for _, w := range workers {
		w.WaitReady(time.Minute)
	}
	for range 5 {
		before := p.done()
		p.pay(3000)
		Poll(t, 30*time.Second, func() (bool, string) { return p.done() > before, fmt.Sprintf("nobody goes on from %d", before) })
		leaving := workers[0]
		leaving.Terminate()
		if p.done() >= before+3000 {
			t.Error("no batch was on its way: the story proves nothing")
		}
		if code := leaving.Wait(25 * time.Second); code != 0 {
			t.Errorf("the worker left with code %d, want 0", code)
		}
		workers = append(workers[1:], p.projector())
	}
	p.caughtUp(time.Minute)
}

// done is how many records the view has applied.
func (p *payments) done() (sum int64) {
	p.t.Helper()
	for _, at := range p.Positions(paidView, 1) {
		n, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			p.t.Fatal(err)
		}
		sum += n
	}
	return sum
}
