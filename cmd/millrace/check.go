package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/millrace/millrace/internal/compose"
)

func checkCommand() *command {
	return &command{
		name: "check", args: "FILE", short: "Say what is wrong with a configuration", min: 1, max: 1,
		long: `Checks every block of FILE: settings, schemas, rules. All errors are named at
once, each with file:line:column. Nobody is asked: neither Kafka nor Redis has
to run. Exits 2 where something is wrong.

Example:
  millrace check fines.yaml
`,
		run: func(ctx context.Context, s *shell, args []string) error {
			var p compose.Projector
			if err := p.Load(ctx, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "%s: ok: %s\n", args[0], plural(len(p.Views), "view"))
			return nil
		},
	}
}

func versionCommand() *command {
	return &command{
		name: "version", short: "Say what this binary was built from",
		run: func(_ context.Context, s *shell, _ []string) error {
			version, goVersion := "(unknown)", ""
			if info, ok := debug.ReadBuildInfo(); ok {
				version, goVersion = info.Main.Version, info.GoVersion
			}
			fmt.Fprintf(s.out, "millrace %s %s\n", version, goVersion)
			return nil
		},
	}
}
