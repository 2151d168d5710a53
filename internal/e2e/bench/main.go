// Command bench measures how fast events become rows, on the Kafka at
// MILLRACE_KAFKA and the Redis at MILLRACE_REDIS, and prints the table of
// docs/performance.md. Nobody else should use these two meanwhile: keys under
// "bench:" and topics under "bench-" are its own.
//
// Each measurement is a process of its own, so that none inherits the heap of
// another. Machines are shared and noisy: the drain of the topic, nothing
// decoded, is measured in each round, and what counts are the ratios to it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

// settings are what the flags say.
type settings struct {
	events, streams int
	rounds          int
	quick           bool
	only            string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) > 1 && children[os.Args[1]] != nil {
		result, err := children[os.Args[1]](ctx, os.Args[2:])
		exitOn(err)
		exitOn(json.NewEncoder(os.Stdout).Encode(result))
		return
	}
	var s settings
	flag.IntVar(&s.events, "events", 5_000_000, "events of the large topic; the small one has a tenth")
	flag.IntVar(&s.streams, "streams", 100_000, "streams of the large topic")
	flag.IntVar(&s.rounds, "rounds", 5, "how often everything is measured")
	flag.BoolVar(&s.quick, "quick", false, "leave out the topic of 1 M streams")
	flag.StringVar(&s.only, "only", "", "measure `views` or snapshots and not the other")
	flag.Parse()
	exitOn(checkEmpty(ctx))
	if s.only != "snapshots" {
		exitOn(bench(ctx, s))
	}
	if s.only != "views" {
		exitOn(snapshots(ctx, s))
	}
}

// children are the measurements that run in a process of their own.
var children = map[string]func(context.Context, []string) (any, error){
	"generate": generate,
	"drain":    drain,
	"project":  project,
	"latency":  latency,
	"compact":  compact,
	"clean":    clean,
	"resync":   resync,
	"refold":   refold,
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
