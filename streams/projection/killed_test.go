package projection

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams/streamstest"
)

// TestKilledWorkersLoseAndDoubleNothing kills workers at seeded points of their
// scripts and starts others, one of them half-way.
func TestKilledWorkersLoseAndDoubleNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(seed, 0))
		l := newLab(t, oneView)
		small := func(o *Options) { o.Config.BatchMaxOps, o.Config.ColdBatchMaxOps = 10, 10 }
		workers := map[int32]*worker{0: l.start(small, 0), 1: l.start(small, 1), 2: l.start(small, 2)}
		for range 50 {
			l.pay(40)
			victim := random.Int32N(partitions)
			action := []streamstest.Action{streamstest.CutRequest, streamstest.CutReply}[random.IntN(2)]
			struck := workers[victim].redis.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 1 + random.IntN(4), Action: action})
			l.until("struck worker", func() bool { l.pay(3); return closed(struck) })
			workers[victim].kill()
			workers[victim] = l.start(small, victim)
		}
		l.untilApplied()
		if !l.right() {
			t.Errorf("rows are wrong with seed %d", seed)
		}
	})
}

// TestWorkerKilledBehindItsBatch: it dies when its rows are written, and the next
// one goes on from the position. That stands beside the rows: a position that
// follows them in a command of its own would still be the old one.
func TestWorkerKilledBehindItsBatch(t *testing.T) {
	bothWays(t, func(l *lab, defended bool) bool {
		dies := streamstest.Fault{Request: "EVALSHA", Action: streamstest.FreezeReply}
		change := func(*Options) {}
		if !defended {
			dies = streamstest.Fault{Request: "HSET", Action: streamstest.FreezeRequest}
			change = func(o *Options) { o.Redis.AddHook(positionApart{o.Redis}) }
			l.weaken = withScript(scriptWithoutPosition)
		}
		w := l.start(change, 0)
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		for range 3 {
			died := w.redis.Inject(dies)
			l.payPartition(0, 7)
			l.until("dead worker", func() bool { return closed(died) })
			w.kill()
			if !defended {
				l.weaken = withScript(scriptWithoutPosition)
			}
			w = l.start(change, 0)
			l.untilStable()
		}
		return l.right()
	})
}

const positionWrite = "call('HSET', KEYS[2], ARGV[2], ARGV[5])\n"

var scriptWithoutPosition = strings.Replace(applySource, positionWrite, "", 1)

// positionApart writes the position of a batch by a command of its own, when the
// script without it was run.
type positionApart struct{ client redis.UniversalClient }

func (positionApart) DialHook(next redis.DialHook) redis.DialHook { return next }

func (positionApart) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h positionApart) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	sha := redis.NewScript(scriptWithoutPosition).Hash()
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		args := cmd.Args()
		script, ok := cmd.(*redis.Cmd)
		if err != nil || !ok || len(args) < 13 || args[1] != sha && args[1] != scriptWithoutPosition {
			return err
		}
		if answer, _ := script.StringSlice(); len(answer) == 1 && answer[0] == "OK" {
			_ = h.client.HSet(ctx, args[4].(string), args[9], args[12]).Err() // the worker dies here
		}
		return nil
	}
}
