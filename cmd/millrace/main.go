// Command millrace is the operator's tool: it imports events, checks
// configurations, shows views and streams, and runs a whole cluster in one
// process to try things on.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/millrace/millrace/internal/compose"
)

func main() {
	compose.Quiet()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
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
