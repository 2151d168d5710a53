package e2e

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// load writes events by the clock: after a write that took long it writes more at
// once.
type load struct {
	perSecond int64
	write     func(n int) error // the next n events
	stop      func()            // returns when nothing is written any more
	began     time.Time
	written   atomic.Int64
	most      atomic.Int64 // that may be written
}

// startLoad writes so many events in a second, as far as it is allowed to, until
// the load is stopped.
func startLoad(t testing.TB, perSecond int64, write func(n int) error) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{perSecond: perSecond, write: write, began: time.Now()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := l.run(ctx); err != nil {
			t.Errorf("writing events: %v", err)
		}
	}()
	l.stop = func() {
		cancel()
		<-done
	}
	return l
}

// allow lets the load write so many more events. A machine that is too slow for
// it is not drowned.
func (l *load) allow(n int64) { l.most.Add(n) }

func (l *load) run(ctx context.Context) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for ctx.Err() == nil {
		due := int64(time.Since(l.began).Seconds() * float64(l.perSecond))
		n := min(due, l.most.Load()) - l.written.Load()
		if err := l.write(int(n)); err != nil {
			return err
		}
		l.written.Add(n)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	return nil
}

// rate is how many events were written in a second.
func (l *load) rate() float64 { return float64(l.written.Load()) / time.Since(l.began).Seconds() }

// A load that takes long for each write keeps its rate, and comes back to it after
// one that took very long.
func TestLoadKeepsUpWithItsClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writes := 0
		l := startLoad(t, 5000, func(int) error {
			if writes++; writes == 50 {
				time.Sleep(10 * time.Second)
			}
			time.Sleep(150 * time.Millisecond)
			return nil
		})
		defer l.stop()
		l.allow(1_000_000)
		time.Sleep(time.Minute)
		if rate := l.rate(); rate < 4950 || rate > 5000 {
			t.Errorf("%.0f events in a second, want 5000", rate)
		}
	})
}

func TestLoadWritesNoMoreThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := startLoad(t, 5000, func(int) error { return nil })
		defer l.stop()
		for _, most := range []int64{0, 2000, 4000} {
			time.Sleep(time.Minute)
			if n := l.written.Load(); n != most {
				t.Errorf("%d events, want %d", n, most)
			}
			l.allow(2000)
		}
	})
}
