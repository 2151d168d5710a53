package worker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// supervised runs work in a bubble and returns the error and how long it took.
func supervised(t *testing.T, work func(ctx context.Context) error, script func(chan<- os.Signal)) (took time.Duration, stopping int, err error) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		go script(signals)
		start := time.Now()
		s := supervisor{signals, 20 * time.Second, slog.New(slog.DiscardHandler), func() { stopping++ }}
		err = s.run(work)
		took = time.Since(start)
		time.Sleep(time.Hour) // until what was left behind has ended, too
	})
	return took, stopping, err
}

func once(signals chan<- os.Signal) { signals <- syscall.SIGTERM }

func TestWorkEndsByItself(t *testing.T) {
	want := errors.New("broken")
	for _, err := range []error{nil, want} {
		_, stopping, got := supervised(t, func(context.Context) error { return err }, func(chan<- os.Signal) {})
		if got != err || stopping != 0 {
			t.Errorf("got %v, want %v", got, err)
		}
	}
}

func TestSignalStopsTheWork(t *testing.T) {
	took, stopping, err := supervised(t, func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(19 * time.Second)
		return context.Cause(ctx)
	}, once)
	if err != nil || took != 19*time.Second || stopping != 1 {
		t.Errorf("%v after %v, %d calls", err, took, stopping)
	}
}

func TestErrorWhileStopping(t *testing.T) {
	want := errors.New("the last batch was not written")
	_, _, err := supervised(t, func(ctx context.Context) error { <-ctx.Done(); return want }, once)
	if err != want {
		t.Errorf("got %v", err)
	}
}

func TestGracePeriodEnds(t *testing.T) {
	took, _, err := supervised(t, func(context.Context) error { time.Sleep(time.Minute); return nil }, once)
	if !errors.Is(err, errGrace) || took != 20*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	took, _, err := supervised(t, func(context.Context) error { time.Sleep(time.Minute); return nil }, func(signals chan<- os.Signal) {
		signals <- syscall.SIGTERM
		time.Sleep(time.Second)
		signals <- os.Interrupt
	})
	if !errors.Is(err, errSecond) || took != time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

func TestEchoOfASignalIsNoSecondOne(t *testing.T) {
	took, stopping, err := supervised(t, func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(5 * time.Second)
		return ctx.Err()
	}, func(signals chan<- os.Signal) {
		signals <- syscall.SIGTERM
		time.Sleep(time.Millisecond)
		signals <- syscall.SIGTERM
	})
	if err != nil || took != 5*time.Second || stopping != 1 {
		t.Errorf("%v after %v, %d calls", err, took, stopping)
	}
}

func TestSignalWhileChecking(t *testing.T) {
	dir := t.TempDir() + "/tiny.yaml"
	if err := os.WriteFile(dir, []byte("kafka: {brokers: [a:1]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	signals := make(chan os.Signal, 1)
	app := testApp()
	left := make(chan struct{})
	app.Check = func(ctx context.Context, _ *File, _ bool) error {
		defer close(left)
		signals <- syscall.SIGTERM
		<-ctx.Done()
		return ctx.Err()
	}
	var out bytes.Buffer
	p := process{app: app, signals: signals, out: &out, err: &out}
	if code := p.main([]string{"--check", "--config", dir}); code != exitFailure || !strings.Contains(out.String(), "interrupted while checking") {
		t.Errorf("exit code %d: %s", code, out.String())
	}
	<-left
}
