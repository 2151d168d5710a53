package follow

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams/streamstest"
)

// TestAnswersToOthersDoNotEndAnOutage: a Redis without memory, or one that is
// read-only, answers questions. One line says that it is away, one that it is
// back.
func TestAnswersToOthersDoNotEndAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l streamstest.Logs
		away := errors.New("away")
		o := Server(slog.New(slog.NewTextHandler(&l, nil)), "redis", func(err error) bool { return errors.Is(err, away) })
		var over atomic.Bool
		go func() {
			_ = o.Retry(t.Context(), func() error {
				if over.Load() {
					return nil
				}
				return away
			})
		}()
		for range 20 {
			time.Sleep(time.Second)
			if err := o.Retry(t.Context(), func() error { return nil }); err != nil || o.Reason() == "" {
				t.Fatalf("%v, reason %q", err, o.Reason())
			}
		}
		over.Store(true)
		time.Sleep(10 * time.Second)
		if n := strings.Count(l.String(), "does not answer"); n != 1 || strings.Count(l.String(), "answers again") != 1 || o.Reason() != "" {
			t.Errorf("reason %q, logged\n%s", o.Reason(), l.String())
		}
	})
}

// TestWhoIsCalledOffEndsNoOutage.
func TestWhoIsCalledOffEndsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l streamstest.Logs
		away := errors.New("away")
		o := Server(slog.New(slog.NewTextHandler(&l, nil)), "redis", func(err error) bool { return errors.Is(err, away) })
		other, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- o.Retry(other, func() error { return away }) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := o.Retry(ctx, func() error { return away }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if o.Reason() == "" {
			t.Error("the other one still waits")
		}
		stop()
		<-done
		if o.Reason() != "" || strings.Contains(l.String(), "answers again") {
			t.Errorf("reason %q, logged\n%s", o.Reason(), l.String())
		}
	})
}
