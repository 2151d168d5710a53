package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	signals "os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/millrace/millrace/internal/devcluster"
)

// servers NAME KAFKA REDIS runs a Kafka with the topic orders and a Redis at
// these addresses, as a process that can be frozen. It makes the file NAME when
// both answer.
func servers() {
	ctx, stop := signals.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	c, err := devcluster.Start(ctx, devcluster.Options{KafkaAddr: os.Args[2], RedisAddr: os.Args[3], Topics: map[string]int32{"orders": 3}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := os.WriteFile(os.Args[1], nil, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	<-ctx.Done()
	_ = c.Close() // what it could not write is of no use any more
}

// ready ADDR waits until the worker with that admin address is ready.
func ready(ts *testscript.TestScript, _ bool, args []string) {
	status := "no answer"
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + args[0] + "/readyz")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if status = resp.Status; resp.StatusCode == http.StatusOK {
			return
		}
	}
	ts.Fatalf("%s is not ready: %s", args[0], status)
}

// thaw is when what was frozen goes on at the latest: long after every grace
// period of the stories.
const thaw = 30 * time.Second

// signal STOP|CONT|TERM NAME... sends a signal to the commands in the background
// that have one of the names among their arguments.
func signal(ts *testscript.TestScript, _ bool, args []string) {
	known := map[string]os.Signal{"STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT, "TERM": syscall.SIGTERM}
	for _, name := range args[1:] {
		found := false
		for _, c := range ts.BackgroundCmds() {
			if filepath.Base(c.Path) == name || slices.Contains(c.Args, name) {
				found = true
				ts.Check(c.Process.Signal(known[args[0]]))
				if args[0] == "STOP" { // a story that fails must not wait for it for ever
					time.AfterFunc(thaw, func() { _ = c.Process.Signal(syscall.SIGCONT) })
				}
			}
		}
		if !found {
			ts.Fatalf("nothing runs that is called %s", name)
		}
	}
}
