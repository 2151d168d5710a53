package e2e

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKilledCompactors: three workers are killed at random times, 20 times in
// all, while events come. Each is started again at once.
func TestKilledCompactors(t *testing.T) {
	const kills, names = 20, 3
	o := newOrders(New(t), 4)
	random := rand.New(rand.NewPCG(5, 0))
	workers := make([]*Worker, names)
	start := func(n int) { workers[n] = o.compactor("INSTANCE=" + itoa(n)) }
	for n := range workers {
		start(n)
	}
	workers[0].WaitReady(time.Minute)
	l := o.load(1000, 300)
	defer l.stop()
	for range kills {
		time.Sleep(time.Duration(random.IntN(800)) * time.Millisecond)
		n := random.IntN(names)
		workers[n].Kill()
		start(n)
	}
	if done, fed := o.marks(), int64(o.events()); done == 0 || done >= fed {
		t.Errorf("after the last kill the watermarks are at %d of %d: that proves nothing", done, fed)
	}
	o.finish(l, 2*time.Minute, workers...)
}

// marks is the sum of the watermarks.
func (o *orders) marks() (sum int64) {
	topic := o.open()
	for p := range int32(orderPartitions) {
		_, at := o.resync(topic, p)
		sum += at
	}
	return sum
}

// TestFrozenCompactor: a worker stands still until another one has its partitions
// and has written, and wakes while events come.
func TestFrozenCompactor(t *testing.T) {
	o := newOrders(New(t), 6)
	frozen := o.compactor()
	frozen.WaitReady(time.Minute)
	l := o.load(1000, 300)
	defer l.stop()
	Poll(t, time.Minute, func() (bool, string) { return o.marks() > 1000, "the worker writes nothing" })
	frozen.Freeze()
	other := o.compactor()
	at := o.marks()
	Poll(t, time.Minute, func() (bool, string) { return o.marks() > at+5000, "nobody goes on" })
	frozen.Thaw()
	Poll(t, time.Minute, func() (bool, string) {
		log := frozen.Log() // its group may tell it first, and may know it no more
		return slices.ContainsFunc([]string{"took the partition over", "another owner took over", "has no place for this worker"}, func(said string) bool {
			return strings.Contains(log, said)
		}), "the woken worker is not refused"
	})
	at = o.marks()
	Poll(t, time.Minute, func() (bool, string) { return o.marks() > at+5000, "nobody goes on" })
	o.finish(l, time.Minute, frozen, other)
	for _, w := range []*Worker{frozen, other} {
		w.Terminate()
		w.ended(0)
	}
	o.stopped(frozen, other)
}
