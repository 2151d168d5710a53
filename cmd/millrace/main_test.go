package main

import (
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
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}
