package e2e

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

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
	// A member that comes back under its name has its partitions at once.
	r := importFines(t, 0, append(smallBatches, "kafka:\n", "kafka:\n  instance_id: \"${INSTANCE:-}\"\n")...)
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
	r.inTheMiddle("after the last kill")
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

// all is where done ends.
func (r *fineRun) all() (sum int) {
	r.t.Helper()
	ends, err := r.Admin.ListCommittedOffsets(r.context(), r.topic)
	if err != nil {
		r.t.Fatal(err)
	}
	ends.Each(func(o kadm.ListedOffset) { sum += int(o.Offset) })
	return sum * len(fineViews)
}

// inTheMiddle looks that the views are neither at the start nor at the end: a
// fault that strikes there proves nothing.
func (r *fineRun) inTheMiddle(when string) {
	r.t.Helper()
	if done, all := r.done(), r.all(); done == 0 || done >= all {
		r.t.Errorf("%s %d of %d offsets are applied: that proves nothing", when, done, all)
	}
}

// smallBatches are edits of the configuration: many scripts, so that a fault
// meets one.
var smallBatches = []string{"projector:\n", "projector:\n  batch_max_ops: 1000\n  cold_batch_max_ops: 1000\n"}

// Replies of the script are lost after it was carried out.
func TestLostReplies(t *testing.T) {
	r := importFines(t, 200_000, smallBatches...)
	proxy := r.Proxy()
	proxy.Delay(5 * time.Millisecond)
	w := r.projector()
	Poll(t, time.Minute, func() (bool, string) { return w.applied() > 0, "nobody began" })
	// A cut connection makes every partition ask for its position, by a script,
	// too: not each reply that is lost is that of a batch.
	const batches, most = 5, 60
	for lost := 0; w.refused() < batches; lost++ {
		if lost == most {
			t.Fatalf("%v batches were sent a second time after %d lost replies, want %d", w.refused(), most, batches)
		}
		hears(t, proxy.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 20, Action: streamstest.CutReply}), "a reply is lost")
	}
	r.inTheMiddle("after the last lost reply")
	r.caughtUp(5 * time.Minute)
}
