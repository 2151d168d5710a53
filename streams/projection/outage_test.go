package projection

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2/server"
	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams/kafka"
)

// TestAnswersToOthersDoNotEndAnOutage: a Redis without memory, or one that is
// read-only, answers questions. One line says that it is away, one that it is
// back.
func TestAnswersToOthersDoNotEndAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l logs
		away := errors.New("away")
		o := outage{log: slog.New(slog.NewTextHandler(&l, nil)), what: "redis", waits: func(err error) bool { return errors.Is(err, away) }}
		var over atomic.Bool
		go func() {
			_ = o.retry(t.Context(), func() error {
				if over.Load() {
					return nil
				}
				return away
			})
		}()
		for range 20 {
			time.Sleep(time.Second)
			if err := o.retry(t.Context(), func() error { return nil }); err != nil || o.reason() == "" {
				t.Fatalf("%v, reason %q", err, o.reason())
			}
		}
		over.Store(true)
		time.Sleep(10 * time.Second)
		if n := strings.Count(l.String(), "does not answer"); n != 1 || strings.Count(l.String(), "answers again") != 1 || o.reason() != "" {
			t.Errorf("reason %q, logged\n%s", o.reason(), l.String())
		}
	})
}

// TestWhoIsCalledOffEndsNoOutage.
func TestWhoIsCalledOffEndsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l logs
		away := errors.New("away")
		o := outage{log: slog.New(slog.NewTextHandler(&l, nil)), what: "redis", waits: func(err error) bool { return errors.Is(err, away) }}
		other, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- o.retry(other, func() error { return away }) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := o.retry(ctx, func() error { return away }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if o.reason() == "" {
			t.Error("the other one still waits")
		}
		stop()
		<-done
		if o.reason() != "" || strings.Contains(l.String(), "answers again") {
			t.Errorf("reason %q, logged\n%s", o.reason(), l.String())
		}
	})
}

// TestListingIsAskedForByAnother: who makes the listing is called off while
// others wait for it.
func TestListingIsAskedForByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var listings int
		e := newEnds(func(ctx context.Context, _ string) (kafka.Ends, error) {
			listings++
			timer := time.NewTimer(time.Second)
			defer timer.Stop()
			select {
			case <-timer.C:
				return kafka.Ends{Partitions: int32(listings)}, nil
			case <-ctx.Done():
				return kafka.Ends{}, ctx.Err()
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 20)
		ask := func(ctx context.Context) {
			_, err := e.of(ctx, "t")
			results <- err
		}
		go ask(ctx)
		synctest.Wait()
		go ask(ctx)
		synctest.Wait()
		for range 18 {
			go ask(t.Context())
		}
		synctest.Wait()
		cancel()
		failed := 0
		for range 20 {
			if err := <-results; err != nil {
				failed++
			}
		}
		if failed != 2 || listings > 4 {
			t.Errorf("%d askers failed, %d listings", failed, listings)
		}
	})
}

// TestRedisThatRefusesWritesIsWaitedFor: it answers whoever asks, and the batch
// waits. One line says so, one that it is over, and nothing stops.
func TestRedisThatRefusesWritesIsWaitedFor(t *testing.T) {
	writes := []string{redis.NewScript(applySource).Hash(), redis.NewScript(confirmSource).Hash(), redis.NewScript(assignSource).Hash()}
	for _, refusal := range []string{
		"OOM command not allowed when used memory > 'maxmemory'.",
		"READONLY You can't write against a read only replica.",
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
	} {
		t.Run(refusal[:3], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, oneView)
				l.pay(30)
				w := l.start(nil)
				l.until("readiness", func() bool { return l.state(l.views[0]) == StateHot && len(w.NotReady()) == 0 })
				l.Redis.Server().Server().SetPreHook(func(c *server.Peer, command string, args ...string) bool {
					if command != "EVALSHA" || !slices.Contains(writes, args[0]) {
						return false
					}
					c.WriteError(refusal)
					return true
				})
				l.pay(30)
				time.Sleep(10 * time.Minute)
				if why := strings.Join(w.NotReady(), "\n"); !strings.Contains(why, "redis does not answer: ") || !strings.Contains(why, refusal) {
					t.Errorf("not ready: %q", why)
				}
				l.Redis.Server().Server().SetPreHook(nil)
				l.until("right rows", l.right)
				l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
				said, over := strings.Count(l.logs.String(), "waiting for it"), strings.Count(l.logs.String(), "answers again")
				if said != 1 || over != 1 || stopped(w, 0) != nil {
					t.Errorf("%d lines say that redis is away, %d that it is back\n%s", said, over, l.logs)
				}
			})
		})
	}
}
