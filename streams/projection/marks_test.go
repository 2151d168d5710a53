package projection

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams"
)

// TestMarksAreWrittenAgain: Redis has lost marks that the owner knows of, with
// the position (a wipe, with a partition that has no events) or without it (a
// dump from before the view was hot). In the end the view is hot and live again.
func TestMarksAreWrittenAgain(t *testing.T) {
	losses := map[string]func(l *lab, cold func()){
		"wipe":         func(l *lab, _ func()) { l.Redis.Wipe() },
		"early dump":   func(_ *lab, cold func()) { cold() },
		"no live view": func(l *lab, _ func()) { l.del(l.views[0].ID(DefaultPrefix).liveKey()) },
	}
	for name, lose := range losses {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, oneView)
				l.payPartition(0, 30) // the other partitions are empty
				w := l.start(nil)
				l.untilApplied()
				id := l.views[0].ID(DefaultPrefix)
				l.until("live view", func() bool { return l.live() == 1 })
				lose(l, func() { l.del(id.key(keyMarks), id.liveKey()) })
				time.Sleep(time.Second)
				l.until("live view", func() bool { return l.live() == 1 })
				l.until("hot view", func() bool { return l.state(l.views[0]) == StateHot })
				l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
				if !l.right() {
					t.Error("rows are wrong")
				}
			})
		})
	}
}

// TestLostMarksOfAViewThatLagsAreRaised: a dump from before the view was hot, with
// the position of today. Hot stays hot, however far it lags.
func TestLostMarksOfAViewThatLagsAreRaised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		w := l.start(nil)
		l.until("live view", func() bool { return l.live() == 1 })
		w.kafka.Freeze()
		l.pay(30)
		id := l.views[0].ID(DefaultPrefix)
		l.del(id.key(keyMarks), id.liveKey())
		time.Sleep(30 * time.Second)
		if s := l.state(l.views[0]); s != StateHot {
			t.Errorf("the view is %s", s)
		}
		w.kafka.Thaw()
		l.until("live view", func() bool { return l.live() == 1 })
	})
}

// TestLiveVersionIsWrittenByTheNextWorker: a worker died between the marks and
// the live version.
func TestLiveVersionIsWrittenByTheNextWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, oneView)
		l.pay(30)
		w := l.start(nil)
		l.until("live view", func() bool { return l.live() == 1 })
		w.stop()
		l.del(l.views[0].ID(DefaultPrefix).liveKey())
		l.start(nil)
		l.until("live view", func() bool { return l.live() == 1 })
	})
}

// TestMarkIsNotWrittenAboveThePosition: the position went back between the look
// at it and the mark.
func TestMarkIsNotWrittenAboveThePosition(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		b.begin()
		b.assign(part1)
		high := map[streams.Partition]int64{part0: 1, part1: 0}
		for _, defended := range []bool{true, false} {
			if !defended {
				b.store.scripts.mark = redis.NewScript(cut(t, markSource, "reached"))
			}
			m, err := b.store.MarkHot(ctx(t), high)
			if stored := b.bookkeeping().Marks; err != nil || m.Hot || (len(stored) == 0) != defended || !maps.Equal(m.Marks, stored) {
				t.Errorf("defended %v: %+v, %v, %v", defended, m, stored, err)
			}
		}
	})
}

// mark writes a mark.
func (b *bench) mark(p streams.Partition, mark int64) {
	b.t.Helper()
	_, err := b.store.MarkHot(ctx(b.t), map[streams.Partition]int64{p: mark})
	b.must(err)
}

func (l *lab) live() int {
	l.t.Helper()
	v, err := LiveVersion(l.t.Context(), l.Redis.Client(), DefaultPrefix, l.views[0].Name)
	if err != nil {
		l.t.Fatal(err)
	}
	return v
}

func (l *lab) del(keys ...string) {
	l.t.Helper()
	if err := l.Redis.Client().Del(l.t.Context(), keys...).Err(); err != nil {
		l.t.Fatal(err)
	}
}
