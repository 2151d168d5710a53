package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// Why a process ended before its work came to an end.
var (
	errGrace  = errors.New("the work did not stop within the grace period")
	errSecond = errors.New("a second signal")
)

// SignalEcho is how long after a signal another one counts as the same:
// timeout(1), for one, signals its child and then the whole group, and so the
// child twice.
const SignalEcho = 500 * time.Millisecond

// supervisor runs the work of a process until it ends or a signal comes.
type supervisor struct {
	signals <-chan os.Signal
	grace   time.Duration
	log     *slog.Logger
	// stopping is called at the first signal.
	stopping func()
}

// run calls work and returns its error. A signal cancels the context of work;
// its end after that is no error. When the grace period is over, or with a
// second signal, run returns and leaves work behind: the process is to exit.
func (s supervisor) run(work func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	done := make(chan error, 1)
	go func() { done <- work(ctx) }()
	select {
	case err := <-done:
		return err
	case signal := <-s.signals:
		s.log.Info("stopping", KeySignal, signal.String(), KeyGrace, s.grace.String())
		s.stopping()
		cancel(fmt.Errorf("%w: signal %v", context.Canceled, signal))
	}
	return s.stop(done)
}

// stop waits for the end of work that was told to stop.
func (s supervisor) stop(done <-chan error) error {
	told := time.Now()
	timer := time.NewTimer(s.grace)
	defer timer.Stop()
	for {
		select {
		case err := <-done:
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		case <-timer.C:
			return fmt.Errorf("%w of %v; the next start goes on from the last position", errGrace, s.grace)
		case signal := <-s.signals:
			if time.Since(told) >= SignalEcho {
				return fmt.Errorf("%w (%v); the next start goes on from the last position", errSecond, signal)
			}
		}
	}
}
