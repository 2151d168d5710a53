package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEchoOfASignal would not come to its end if the second signal ended the
// process.
func TestEchoOfASignal(t *testing.T) {
	ctx, stop := interruptible()
	defer stop()
	interrupt(t)
	<-ctx.Done()
	time.Sleep(50 * time.Millisecond)
	interrupt(t)
	time.Sleep(50 * time.Millisecond)
}

func interrupt(t *testing.T) {
	t.Helper()
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(syscall.SIGTERM)
	}
	if err != nil {
		t.Skip("no process can be signalled here:", err)
	}
}

// A server that is busy is no server that is away: what to do is to try again.
func TestLateAnswer(t *testing.T) {
	var out strings.Builder
	s := &shell{err: &out}
	code := s.exit(viewStatusCommand(), fmt.Errorf("reading: %w", os.ErrDeadlineExceeded))
	if want := "millrace view status: reading: i/o timeout: it answers too late"; code != exitFailure || !strings.HasPrefix(out.String(), want) {
		t.Errorf("exit code %d, %s; want %s", code, out.String(), want)
	}
}
