package e2e

import (
	"fmt"
	"strconv"
	"testing"
	"time"
)

// A worker with a name of its own is killed and started again at once: it has its
// partitions back long before the session of 10 s is over, and the others are
// not disturbed.
func TestKilledStaticMember(t *testing.T) {
	p := newPayments(t)
	p.pay(60)
	start := func(name string) *Worker { return p.projector("INSTANCE=" + name) }
	killed, other := start("one"), start("two")
	killed.WaitReady(time.Minute)
	other.WaitReady(time.Minute)
	p.caughtUp(30 * time.Second)
	for range 3 {
		killed.Kill()
		began := time.Now()
		killed = start("one")
		p.pay(60)
		p.caughtUp(30 * time.Second)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("partitions stood still for %s", took)
		}
	}
}

// Workers are asked to leave while events come: each does, in time, with code 0,
// and nothing is lost or doubled.
func TestTerminatedUnderLoad(t *testing.T) {
	p := newPayments(t)
	p.Proxy().Delay(5 * time.Millisecond) // so that batches are on their way
	workers := []*Worker{p.projector(), p.projector()}
	for _, w := range workers {
		w.WaitReady(time.Minute)
	}
	for range 6 {
		before := p.done()
		p.pay(300)
		Poll(t, 30*time.Second, func() (bool, string) { return p.done() > before, fmt.Sprintf("nobody goes on from %d", before) })
		leaving := workers[0]
		leaving.Terminate()
		p.pay(300)
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
