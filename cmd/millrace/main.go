// Command millrace is the operator's tool: it imports events, checks
// configurations, shows views and streams, and runs a whole cluster in one
// process to try things on.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/streams/worker"
)

func main() {
	compose.Quiet()
	ctx, stop := interruptible()
	code := (&shell{in: os.Stdin, out: os.Stdout, err: os.Stderr}).main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// interruptible returns a context that a signal ends. A second signal ends the
// process at once, but not the echo of the first.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() { time.Sleep(worker.SignalEcho); stop() })
	return ctx, stop
}

// commands returns every command, in the order of the help.
func commands() []*command {
	return []*command{
		demoCommand(), devCommand(), importCommand(), checkCommand(),
		viewStatusCommand(), viewGetCommand(), viewListCommand(), streamShowCommand(),
		snapshotStatusCommand(), snapshotGetCommand(), snapshotVerifyCommand(), versionCommand(),
	}
}
