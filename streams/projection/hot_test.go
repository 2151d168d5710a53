package projection

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
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
