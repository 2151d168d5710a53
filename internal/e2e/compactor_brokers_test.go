package e2e

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestKilledBrokersOfCompactors: ten times a broker of three is killed while
// events come and are folded, now and then two at once: nothing is lost or old,
// and no partition stops.
func TestKilledBrokersOfCompactors(t *testing.T) {
	const rounds = 9
	e := New(t)
	cluster := StartCluster(t)
	e.UseCluster(cluster)
	o := newOrders(e, 7)
	random := rand.New(rand.NewPCG(8, 0))
	workers := []*Worker{o.compactor("INSTANCE=one"), o.compactor("INSTANCE=two")}
	for _, w := range workers {
		w.WaitReady(time.Minute)
	}
	l := o.load(500, 300)
	defer l.stop()
	insync := brokersRun{payments: &payments{Env: e}}
	for n := range rounds {
		time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
		cluster.Kill(n%3 + 1)
		if n == rounds/2 {
			cluster.Kill((n+1)%3 + 1)
		}
		time.Sleep(time.Duration(1000+random.IntN(2000)) * time.Millisecond)
		cluster.Start()
		insync.waitInSync()
	}
	o.finish(l, 2*time.Minute, workers...)
}
