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
)

// echo is how long after a signal another one counts as the same: timeout(1), for
// one, signals its child and then the whole group, and so the child twice.
const echo = 500 * time.Millisecond

func main() {
	compose.Quiet()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// a second signal ends the process at once, but not the echo of the first
	context.AfterFunc(ctx, func() { time.Sleep(echo); stop() })
	code := (&shell{in: os.Stdin, out: os.Stdout, err: os.Stderr}).main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// commands returns every command, in the order of the help.
func commands() []*command {
	return []*command{
		demoCommand(), devCommand(), importCommand(), checkCommand(),
		viewStatusCommand(), viewGetCommand(), viewListCommand(), streamShowCommand(), versionCommand(),
	}
}
