package daemon

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, d Daemon, script string) <-chan struct{} {
	t.Helper()
	ended, err := d.Start("/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Kill(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return ended
}

func TestStartAndStop(t *testing.T) {
	d := Daemon{t.TempDir(), "sleeper"}
	if pid, err := d.PID(); pid != 0 || err != nil {
		t.Fatalf("before the start: %d, %v", pid, err)
	}
	ended := start(t, d, "echo started; exec sleep 60")
	if pid, err := d.PID(); pid == 0 || err != nil {
		t.Fatalf("after the start: %d, %v", pid, err)
	}
	if err := d.Stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	<-ended
	if pid, err := d.PID(); pid != 0 || err != nil {
		t.Errorf("after the stop: %d, %v", pid, err)
	}
	if err := d.Stop(time.Second); err != nil {
		t.Errorf("a second stop: %v", err)
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	d := Daemon{t.TempDir(), "deaf"}
	ended := start(t, d, "trap '' TERM; echo deaf; while :; do sleep 0.05; done")
	for !strings.Contains(d.LogTail(1), "deaf") {
		time.Sleep(5 * time.Millisecond)
	}
	if err := d.Stop(10 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	<-ended
}

func TestEarlyEndIsTold(t *testing.T) {
	d := Daemon{t.TempDir(), "short"}
	<-start(t, d, "echo one; echo two; echo three; exit 3")
	if tail := d.LogTail(2); tail != "two\nthree" {
		t.Errorf("log ends with %q", tail)
	}
	if pid, err := d.PID(); pid != 0 || err != nil {
		t.Errorf("after the end: %d, %v", pid, err)
	}
}

// A process ID that went to somebody else is left alone.
func TestReusedProcessID(t *testing.T) {
	if birth(os.Getpid()) == "-" {
		t.Skip("this system does not say when a process was started")
	}
	d := Daemon{t.TempDir(), "other"}
	text := fmt.Sprintf("%d 1\n", os.Getpid())
	if err := os.WriteFile(d.pidFile(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if pid, err := d.PID(); pid != 0 || err != nil {
		t.Errorf("found %d, %v", pid, err)
	}
	if err := d.Kill(); err != nil { // would end this test
		t.Error(err)
	}
}

func TestDamagedFile(t *testing.T) {
	for _, text := range []string{"", "x 1", "-1 1", "0 1", "1 1"} {
		d := Daemon{t.TempDir(), "damaged"}
		if err := os.WriteFile(d.pidFile(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.PID(); err == nil || !strings.Contains(err.Error(), "damaged.pid") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
