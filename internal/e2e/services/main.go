// Services starts and stops the real Kafka and the real Redis of the end-to-end
// tests:
//
//	go run ./internal/e2e/services start  [--dir .run] [--nodes 1|3] [--kafka-port 19092] [--redis-port 26379] [--long-lived]
//	go run ./internal/e2e/services status [--dir .run]
//	go run ./internal/e2e/services stop   [--dir .run]
//
// start prints the lines that tell the tests where both are; eval them. Several
// can live side by side, each with a folder and ports of its own. Stopping ends
// the processes that start started, by their process IDs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

const usage = `usage: services start|stop|status [flags]

  start    start Kafka and Redis where they do not run; print where they are
  stop     stop both, and forget their data
  status   print where they are; exit 1 where one does not run

`

func main() {
	os.Exit(exitCode(os.Args[1:]))
}

// exitCode runs a command: 0 means done, 1 that it failed, 2 that it was not
// understood.
func exitCode(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, args, os.Stdout, os.Stderr)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintln(os.Stderr, "services:", err)
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		return 2
	}
	return 1
}

// usageError is an error of the command line.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("services", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	var want settings
	dir := flags.String("dir", ".run", "folder of data, logs and process IDs")
	flags.IntVar(&want.Nodes, "nodes", 1, "number of Kafka nodes, 1 or 3")
	flags.IntVar(&want.KafkaPort, "kafka-port", 19092, "port of the first Kafka node; the next 2*nodes-1 are used, too")
	flags.IntVar(&want.RedisPort, "redis-port", 26379, "port of Redis")
	flags.BoolVar(&want.LongLived, "long-lived", false, "a Kafka that is faster once it has warmed up, and slower before")
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		flags.Usage()
		return &usageError{errors.New("no command given")}
	}
	if err := flags.Parse(args[1:]); err != nil {
		return &usageError{err}
	}
	if want.Nodes != 1 && want.Nodes != 3 {
		return &usageError{fmt.Errorf("--nodes %d: it is 1 or 3", want.Nodes)}
	}
	s, err := open(*dir)
	if err != nil {
		return err
	}
	defer s.close()
	switch args[0] {
	case "start":
		return s.start(ctx, want, stdout)
	case "stop":
		return s.stop()
	case "status":
		return s.status(stdout)
	}
	flags.Usage()
	return &usageError{fmt.Errorf("no command %q", args[0])}
}
