package projection

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams/streamstest"
)

// TestMarkIsRaisedAlsoWhereRedisGoesBackTwice: the second time between the look
// at the position and the raising of the mark.
func TestMarkIsRaisedAlsoWhereRedisGoesBackTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.payPartition(0, 30)
		var once sync.Once
		w := l.start(func(o *Options) {
			o.Redis.AddHook(beforeScript{raiseSource, func(args []any) {
				if slices.Contains(args, any("orders/0")) {
					once.Do(l.Redis.Wipe)
				}
			}})
		})
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		w.kafka.Freeze()
		l.Redis.Wipe()
		time.Sleep(time.Minute)
		if mark, ok := l.bookkeeping(l.views[0]).Marks[orders(0)]; !ok || mark != 30 {
			t.Errorf("the mark is %d (%v) and the position was 30\n%s", mark, ok, l.logs)
		}
		w.kafka.Thaw()
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
	})
}

// beforeScript does something before each run of a script.
type beforeScript struct {
	source string
	do     func(args []any)
}

func (beforeScript) DialHook(next redis.DialHook) redis.DialHook { return next }

func (beforeScript) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h beforeScript) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	sha := redis.NewScript(h.source).Hash()
	return func(ctx context.Context, cmd redis.Cmder) error {
		if args := cmd.Args(); len(args) > 1 && (args[1] == sha || args[1] == h.source) {
			h.do(args)
		}
		return next(ctx, cmd)
	}
}

// TestViewIsNotLiveBeforeItIsHotAgain: a Redis that lost everything has no live
// version before the rows are what they were.
func TestViewIsNotLiveBeforeItIsHotAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.payPartition(0, 30)
		w := l.start(nil)
		l.until("live view", func() bool { return l.live() == 1 })
		w.kafka.Freeze()
		l.Redis.Wipe()
		l.until("rebuilding view", func() bool { return l.state(l.views[0]) == StateRebuilding })
		time.Sleep(time.Minute)
		if v := l.live(); v != 0 {
			t.Errorf("version %d is live, and has %d rows", v, len(l.rows(l.views[0])))
		}
		w.kafka.Thaw()
		l.until("live view", func() bool { return l.live() == 1 })
		if s := l.state(l.views[0]); s != StateHot || !l.right() {
			t.Errorf("live, and %s", s)
		}
	})
}

// TestForeignTimeOfAnOwnerEndsNothing: what is only shown must not stop a view.
func TestForeignTimeOfAnOwnerEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		w := l.start(nil, 0, 1) // nobody owns partition 2, so the view goes on being built
		l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == l.Kafka.LSO("orders")[0] })
		id := l.views[0].ID(DefaultPrefix)
		if err := l.Redis.Client().HSet(t.Context(), id.key(keySeen), "orders/2", "yesterday").Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		select {
		case err := <-w.done:
			w.done <- err
			t.Errorf("the view ended: %v", err)
		default:
		}
	})
}

// TestHotVersionSaysWhatReadersSee: a higher version does not replace the live
// one by itself.
func TestHotVersionSaysWhatReadersSee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		l.start(nil)
		l.until("live view", func() bool { return l.live() == 1 })
		l.views = l.compile(strings.Replace(oneView, "version: 1", "version: 2", 1))
		l.start(nil)
		const told = `msg="view is hot; readers see another version" view=order version=2 live_version=1`
		l.until("line that says so", func() bool { return strings.Contains(l.logs.String(), told) })
		if !strings.Contains(l.logs.String(), "set millrace:view:order to 2") || l.live() != 1 {
			t.Errorf("version %d is live\n%s", l.live(), l.logs)
		}
	})
}

// TestHotIsLoggedWhenItBecomesTrue: when the view was built, and when it was
// built again, but not where nothing changed.
func TestHotIsLoggedWhenItBecomesTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		w := l.start(nil)
		lines := func() int {
			time.Sleep(time.Minute)
			return strings.Count(l.logs.String(), "view is hot")
		}
		built := lines()
		dump := l.Redis.Snapshot()
		l.pay(30)
		l.untilApplied()
		l.Redis.Restart(dump)
		rebuilt := lines()
		for _, h := range w.hands {
			h.Rejoin()
		}
		again := lines()
		w.stop()
		l.start(nil)
		// partitions may notice the rollback one after the other
		if other := lines(); built != 1 || rebuilt < 2 || again != rebuilt || other != rebuilt {
			t.Errorf("%d lines when built, %d when rebuilt, %d after joining again, %d with another worker\n%s", built, rebuilt, again, other, l.logs)
		}
	})
}

// TestRollbackBetweenTwoAssignmentsIsNoticed: Redis goes back while nobody owns
// the partition, and its former owner gets it again.
func TestRollbackBetweenTwoAssignmentsIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		w := l.start(nil)
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		dump := l.Redis.Snapshot()
		l.pay(30)
		l.untilApplied()
		was := l.position(l.views[0], 0)
		for _, h := range w.hands {
			h.assigned = func() { w.kafka.Freeze(); l.Redis.Restore(dump) }
			h.Rejoin()
		}
		l.until("rebuilding view", func() bool { return l.state(l.views[0]) == StateRebuilding })
		if mark := l.bookkeeping(l.views[0]).Marks[orders(0)]; mark != was {
			t.Errorf("the mark is %d, the position was %d", mark, was)
		}
		w.kafka.Thaw()
		l.until("right rows", l.right)
	})
}

// TestRollbackWithoutWorkersIsNoLoss: nobody lives who knew the position. The
// state is that of what stands in Redis, and the next worker makes it right.
func TestRollbackWithoutWorkersIsNoLoss(t *testing.T) {
	stories := map[string]struct {
		lose  func(l *lab, early *streamstest.Snapshot)
		state State
	}{
		"from before it was hot": {func(l *lab, early *streamstest.Snapshot) { l.Redis.Restore(early) }, StateBuilding},
		"to below a mark": {func(l *lab, _ *streamstest.Snapshot) {
			id := l.views[0].ID(DefaultPrefix)
			mark := fmt.Sprint(l.position(l.views[0], 0) + 1)
			if err := l.Redis.Client().HSet(l.t.Context(), id.key(keyMarks), "orders/0", mark).Err(); err != nil {
				l.t.Fatal(err)
			}
		}, StateRebuilding},
		"of everything": {func(l *lab, _ *streamstest.Snapshot) { l.Redis.Wipe() }, StateBuilding},
	}
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, oneView)
				l.pay(30)
				w := l.start(nil, 0) // alone it makes nothing hot
				l.until("position at the LSO", func() bool { return l.position(l.views[0], 0) == l.Kafka.LSO("orders")[0] })
				early := l.Redis.Snapshot()
				w.stop()
				w = l.start(nil)
				l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
				w.kill()
				if s := l.state(l.views[0]); s != StateHot {
					t.Errorf("without a worker the view is %s", s)
				}
				story.lose(l, early)
				if s := l.state(l.views[0]); s != story.state {
					t.Errorf("behind the rollback the view is %s", s)
				}
				l.pay(30)
				l.start(nil)
				l.until("right rows", l.right)
				l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot && l.live() == 1 })
			})
		})
	}
}

// TestHotUnderSteadyLoad: events come faster than the end is ever reached. What
// must be reached is the end that was listed before the comparison.
func TestHotUnderSteadyLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		l.start(func(o *Options) {
			o.Redis.AddHook(beforeScript{applySource, func([]any) {
				time.Sleep(10 * time.Millisecond)
				l.payPartition(0, 1)
			}})
		})
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		b := l.bookkeeping(l.views[0])
		for p, mark := range b.Marks {
			if mark > b.Positions[p].Offset {
				t.Errorf("%s is hot at %v, its mark is %d", p, b.Positions[p], mark)
			}
		}
	})
}

// TestLagIsNotCold: a view that is hot stays hot, and is written in the batches
// of a hot one.
func TestLagIsNotCold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		w := l.start(nil)
		l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
		w.stop()
		l.pay(3000)
		w = l.start(func(o *Options) { o.Config.BatchMaxOps = 10 })
		w.redis.Inject(streamstest.Fault{Request: "EVALSHA", Nth: 40, Action: streamstest.FreezeRequest})
		time.Sleep(time.Minute)
		for _, p := range w.Progress() {
			if !p.Hot || p.Position == p.Stable {
				t.Errorf("%s at %d of %d, hot: %v", p.Partition, p.Position, p.Stable, p.Hot)
			}
		}
		if s := l.state(l.views[0]); s != StateHot {
			t.Errorf("the view is %s", s)
		}
		w.redis.Thaw()
		l.untilApplied()
	})
}

// TestOwnersAreSeen while they live, work or not, and not when they are gone, or
// when their partition has stopped.
func TestOwnersAreSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		e := l.paid(streamNumber(1), "1.10", 1)
		e.Value = []byte("garbage")
		l.Kafka.Produce("orders", e)
		w := l.start(nil)
		want := func(partition int32, seen bool) {
			t.Helper()
			if ago := time.Since(l.bookkeeping(l.views[0]).Seen[orders(partition)]); ago <= 2*idleCheck != seen {
				t.Errorf("the owner of partition %d was seen %v ago", partition, ago)
			}
		}
		work := func(minutes int) {
			for range minutes * 60 {
				l.payPartition(0, 1)
				time.Sleep(time.Second)
			}
		}
		work(2)
		want(0, true)
		want(1, false)
		want(2, true) // it has no work
		w.kill()
		time.Sleep(time.Minute)
		want(0, false)
		want(2, false)
	})
}
