package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/e2e/freeport"
)

// WorkerSpec says how a worker is started.
type WorkerSpec struct {
	// Name tells workers of one test apart in what is printed; by default the
	// base name of Path.
	Name string
	// Path is that of the binary.
	Path string
	// Args are its arguments.
	Args []string
	// Env are further environment variables, KEY=value. A later one wins.
	Env []string
	// Dir is the working directory; by default that of the test.
	Dir string
	// Stdin is its standard input; by default there is none.
	Stdin *os.File
}

// Worker is a process of a worker. Its methods are for the goroutine of the test.
type Worker struct {
	// Admin is the address of its probes and metrics.
	Admin string

	name string
	t    testing.TB
	cmd  *exec.Cmd
	log  string
	gone chan struct{} // closed when the process is gone
}

// Start starts a worker. It finds the services in its environment, as
// MILLRACE_KAFKA, MILLRACE_REDIS, MILLRACE_PREFIX (of keys in Redis),
// MILLRACE_KAFKA_PREFIX (of groups) and MILLRACE_ADMIN (the address for its
// probes), which configuration files name.
// When the test ends it is killed, and its log is shown where the test failed.
func (e *Env) Start(spec WorkerSpec) *Worker {
	e.t.Helper()
	spec.Env = append(e.variables(), spec.Env...)
	return StartWorker(e.t, spec)
}

// variables tell a process where the services are.
func (e *Env) variables() []string {
	return []string{
		KafkaVar + "=" + strings.Join(e.Brokers, ","),
		RedisVar + "=" + e.RedisAddr,
		"MILLRACE_PREFIX=" + e.Prefix,
		"MILLRACE_KAFKA_PREFIX=" + e.ID,
	}
}

// StartWorker starts a process as [Env.Start] does, without the services.
func StartWorker(tb testing.TB, spec WorkerSpec) *Worker {
	tb.Helper()
	if spec.Name == "" {
		spec.Name = filepath.Base(spec.Path)
	}
	log, err := os.Create(filepath.Join(tb.TempDir(), "log"))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = log.Close() }() // the worker has its own
	w := &Worker{
		Admin: fmt.Sprintf("127.0.0.1:%d", freeport.Get(tb)),
		name:  spec.Name, t: tb, log: log.Name(), gone: make(chan struct{}),
	}
	w.cmd = exec.Command(spec.Path, spec.Args...)
	w.cmd.Env = append(append(os.Environ(), "MILLRACE_ADMIN="+w.Admin), spec.Env...)
	w.cmd.Dir, w.cmd.Stdout, w.cmd.Stderr = spec.Dir, log, log
	if spec.Stdin != nil {
		w.cmd.Stdin = spec.Stdin
	}
	if err := w.cmd.Start(); err != nil {
		tb.Fatalf("starting %s: %v", w.name, err)
	}
	go func() {
		defer close(w.gone)
		_ = w.cmd.Wait() // ExitCode tells how it ended
	}()
	tb.Cleanup(w.clean)
	return w
}

func (w *Worker) clean() {
	w.signal(syscall.SIGKILL)
	<-w.gone
	if w.t.Failed() {
		w.t.Logf("the log of %s ends with\n%s", w.name, tail(w.Log(), 200))
	}
}

func tail(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}

// Log returns what the worker has printed.
func (w *Worker) Log() string {
	b, err := os.ReadFile(w.log)
	if err != nil {
		w.t.Errorf("reading the log of %s: %v", w.name, err)
	}
	return string(b)
}

// Kill ends the worker at once, as kill -9 does, and waits until it is gone.
func (w *Worker) Kill() {
	w.signal(syscall.SIGKILL)
	<-w.gone
}

// Freeze stops the worker where it stands, until Thaw.
func (w *Worker) Freeze() { w.signal(syscall.SIGSTOP) }

// Thaw lets a frozen worker go on.
func (w *Worker) Thaw() { w.signal(syscall.SIGCONT) }

// Terminate asks the worker to leave; [Worker.Wait] tells how it did.
func (w *Worker) Terminate() { w.signal(syscall.SIGTERM) }

func (w *Worker) signal(s syscall.Signal) {
	if err := w.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		w.t.Errorf("sending %s to %s: %v", s, w.name, err)
	}
}

// Wait waits until the worker has ended and returns its exit code, -1 where a
// signal ended it. The test fails when it still runs after the timeout.
func (w *Worker) Wait(timeout time.Duration) int {
	w.t.Helper()
	select {
	case <-w.gone:
	case <-time.After(timeout):
		w.t.Fatalf("%s still runs after %s", w.name, timeout)
	}
	return w.cmd.ProcessState.ExitCode()
}

// WaitReady waits until the worker's /readyz answers that it is ready: each of
// its partitions has reached the end. The test fails when the worker ends, or is
// not ready after the timeout.
func (w *Worker) WaitReady(timeout time.Duration) {
	w.t.Helper()
	last := "it has not answered"
	Poll(w.t, timeout, func() (bool, string) {
		select {
		case <-w.gone:
			w.t.Fatalf("%s ended with code %d before it was ready", w.name, w.cmd.ProcessState.ExitCode())
		default:
		}
		ok, answer := w.ready()
		if answer != "" {
			last = answer
		}
		return ok, fmt.Sprintf("%s is not ready: %s", w.name, last)
	})
}

// ready asks once, and returns the answer of a worker that is not ready.
func (w *Worker) ready() (ok bool, answer string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.t.Context()), 2*time.Second)
	defer cancel()
	code, body, err := get(ctx, "http://"+w.Admin+"/readyz")
	if err != nil {
		return false, ""
	}
	return code == http.StatusOK, fmt.Sprintf("%d %s", code, body)
}
