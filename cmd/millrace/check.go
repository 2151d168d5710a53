package main

import (
	"context"
	"fmt"

	"github.com/millrace/millrace/streams/worker"
)

func checkCommand() *command {
	return &command{
		name: "check", args: "FILE", short: "Say what is wrong with a configuration", min: 1, max: 1,
		long: `Checks every block of FILE: settings, schemas, rules. All errors are named at
once, each with file:line:column. Nobody is asked: neither Kafka nor Redis has
to run. Exits 2 where something is wrong.

Example:
  millrace check shop.yaml
`,
		run: func(ctx context.Context, s *shell, args []string) error {
			var w whole
			if err := w.load(ctx, args[0]); err != nil {
				return err
			}
			folds := ""
			if n := len(w.compactor.Folds); n > 0 {
				folds = ", " + plural(n, "fold")
			}
			fmt.Fprintf(s.out, "%s: ok: %s%s\n", args[0], plural(len(w.Views), "view"), folds)
			return nil
		},
	}
}

func versionCommand() *command {
	return &command{
		name: "version", short: "Say what this binary was built from",
		run: func(_ context.Context, s *shell, _ []string) error {
			fmt.Fprintln(s.out, worker.VersionLine("millrace"))
			return nil
		},
	}
}
