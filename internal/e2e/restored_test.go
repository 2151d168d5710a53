package e2e

import (
	"fmt"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/e2e/fines"
)

// Redis is restarted from an older dump while the views are built.
func TestRedisRestored(t *testing.T) {
	r := importFines(t, 100_000, smallBatches...)
	redis := StartRedis(t)
	r.UseRedis(redis)
	r.Proxy().Delay(20 * time.Millisecond)
	dump := filepath.Join(t.TempDir(), "older.rdb")
	w := r.projector()
	Poll(t, time.Minute, func() (bool, string) { return len(r.Positions(fines.ViewFine, 1)) == 12, "nobody began" })
	redis.Save(dump)
	saved := r.Positions(fines.ViewFine, 1)
	Poll(t, time.Minute, func() (bool, string) {
		return !maps.Equal(r.Positions(fines.ViewFine, 1), saved), "nothing was written after the dump"
	})
	r.inTheMiddle("before the restart")
	redis.Restore(dump)
	w.WaitReady(5 * time.Minute)
	r.caughtUp(time.Minute)
	waitLog(w, time.Second, "redis went back in time")
}

// hotPayments is a hot view in a Redis that belongs to the test, and its worker,
// whose replies from Redis are slow enough for others to see what it does.
type hotPayments struct {
	*payments
	redis  *Redis
	worker *Worker
}

func newHotPayments(t *testing.T) *hotPayments {
	t.Helper()
	p := &hotPayments{newPayments(t), StartRedis(t), nil}
	p.UseRedis(p.redis)
	proxy := p.Proxy()
	p.pay(60)
	p.worker = p.projector()
	p.worker.WaitReady(time.Minute)
	p.waitHot(30 * time.Second)
	proxy.Delay(500 * time.Millisecond)
	return p
}

// rebuilt waits until a view that was set back is rebuilding, and its worker not
// ready, and then until it is hot again with the rows that the log says.
func (p *hotPayments) rebuilt() {
	p.t.Helper()
	Poll(p.t, 30*time.Second, func() (bool, string) {
		at, marks := p.Positions(paidView, 1), p.marks()
		for partition, mark := range marks {
			if below(at[partition], mark) {
				return true, ""
			}
		}
		return false, fmt.Sprintf("the view is not rebuilding: positions %v, marks %v", at, marks)
	})
	if ok, answer := p.worker.ready(); ok {
		p.t.Errorf("the worker of a view that is rebuilding is ready: %s", answer)
	}
	p.waitState(time.Minute, filepath.Join(p.dir, "orders.yaml"), p.redis.Addr(), "hot")
	p.caughtUp(time.Minute)
	p.worker.WaitReady(time.Minute)
	waitLog(p.worker, time.Second, "redis went back in time")
}

// marks are the positions that the partitions must reach to be hot.
func (p *hotPayments) marks() map[string]string {
	p.t.Helper()
	marks, err := p.Redis.HGetAll(p.context(), p.Prefix+"{order.1}:m:hot").Result()
	if err != nil {
		p.t.Fatal(err)
	}
	return marks
}

// below compares two numbers without leading zeros.
func below(a, b string) bool { return len(a) < len(b) || len(a) == len(b) && a < b }

// Redis is restarted from a dump that is older than the rows of a hot view. With
// events after it and with none somebody notices.
func TestRedisRestoredWhileHot(t *testing.T) {
	for _, events := range []int{60, 0} {
		t.Run(fmt.Sprintf("events=%d", events), func(t *testing.T) {
			p := newHotPayments(t)
			dump := filepath.Join(t.TempDir(), "older.rdb")
			p.redis.Save(dump)
			p.pay(600)
			p.caughtUp(time.Minute)
			p.redis.Restore(dump)
			p.pay(events)
			p.rebuilt()
		})
	}
}

// Redis loses everything while the view is hot: by a command that leaves its
// connections alone, and by a restart.
func TestRedisWiped(t *testing.T) {
	p := newHotPayments(t)
	if err := p.Redis.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	p.rebuilt()

	p.redis.Kill()
	p.redis.Start()
	p.rebuilt()
}

// Redis loses everything while the views are built, and rows of all of them.
func TestRedisWipedWhileBuilding(t *testing.T) {
	r := importFines(t, 100_000, smallBatches...)
	r.UseRedis(StartRedis(t))
	r.Proxy().Delay(10 * time.Millisecond)
	r.projector()
	for range 3 {
		r.waitProgress(time.Minute)
		r.inTheMiddle("before the wipe")
		if err := r.Redis.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	r.caughtUp(5 * time.Minute)
}
