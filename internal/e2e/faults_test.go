package e2e

import (
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/e2e/fines"
	"github.com/millrace/millrace/streams/streamstest"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Three workers are killed 50 times at seeded points, each time while rows are
// written; one is added half-way. The position stands beside the rows, so nothing
// is lost or doubled.
func TestKilledWorkers(t *testing.T) {
	const kills = 50
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	r := importFines(t, 0,
		// A member that comes back under its name has its partitions at once.
		"kafka:\n", "kafka:\n  instance_id: \"${INSTANCE:-}\"\n",
		"projector:\n", "projector:\n  batch_max_ops: 1000\n  cold_batch_max_ops: 1000\n")
	r.Proxy().Delay(10 * time.Millisecond)
	start := func(i int) *Worker { return r.projector("INSTANCE=worker-" + itoa(i)) }
	workers := []*Worker{start(0), start(1), start(2)}
	for n := range kills {
		if n == kills/2 {
			workers = append(workers, start(len(workers)))
		}
		r.waitProgress(time.Minute)
		time.Sleep(time.Duration(rnd.IntN(100)) * time.Millisecond) // the seeded point
		i := rnd.IntN(len(workers))
		workers[i].Kill()
		workers[i] = start(i)
	}
	if done := r.done(); done >= 3*r.want.Events {
		t.Errorf("all events were applied before the last kill: they prove nothing")
	}
	r.caughtUp(5 * time.Minute)
}

// waitProgress waits until a view has gone on.
func (r *fineRun) waitProgress(timeout time.Duration) {
	r.t.Helper()
	before := r.done()
	Poll(r.t, timeout, func() (bool, string) { return r.done() > before, "no view goes on" })
}

// done returns the sum of all positions of all views.
func (r *fineRun) done() (sum int) {
	r.t.Helper()
	for _, view := range fineViews {
		for _, position := range r.Positions(view, 1) {
			n, err := strconv.Atoi(position)
			if err != nil {
				r.t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}

// A worker is frozen until the others have taken its partitions, and woken.
func TestFrozenWorker(t *testing.T) {
	r := importFines(t, 0)
	r.Proxy().Delay(20 * time.Millisecond)
	frozen, other := r.projector(), r.projector()
	Poll(t, time.Minute, func() (bool, string) { return len(r.Positions(fines.ViewFine, 1)) == 12, "nobody began" })
	frozen.Freeze()
	r.WaitCaughtUp(5*time.Minute, r.topic, fineViews...)
	frozen.Thaw()
	other.Kill()
	frozen.WaitReady(time.Minute)
	r.caughtUp(time.Minute)
}

// Replies of the script are lost after it was carried out.
func TestLostReplies(t *testing.T) {
	r := importFines(t, 100_000)
	proxy := r.Proxy()
	var struck []<-chan struct{}
	for n := range 10 {
		struck = append(struck, proxy.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 40 + 3*n, Action: streamstest.CutReply}))
	}
	r.projector()
	r.caughtUp(5 * time.Minute)
	for n, c := range struck {
		select {
		case <-c:
		default:
			t.Errorf("fault %d did not strike: there were too few scripts", n)
		}
	}
}

// Redis is restarted from an older dump: once while events still come, once when
// none do.
func TestRedisRestored(t *testing.T) {
	r := importFines(t, 100_000)
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
	redis.Restore(dump)
	w.WaitReady(5 * time.Minute)
	r.caughtUp(time.Minute)

	redis.Restore(dump) // and no event comes
	r.caughtUp(time.Minute)
}

// Redis loses everything while the views are hot.
func TestRedisWiped(t *testing.T) {
	r := importFines(t, 100_000)
	redis := StartRedis(t)
	r.UseRedis(redis)
	r.projector().WaitReady(5 * time.Minute)
	r.caughtUp(time.Minute)
	if err := r.Redis.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	r.caughtUp(time.Minute)

	redis.Kill()
	redis.Start()
	r.caughtUp(time.Minute)
}
