package worker

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/millrace/millrace/streams"
)

// flags are those of every worker.
type flags struct {
	config         string
	check, offline bool
	probe          probe
	version        bool
	logFormat      string
	logLevel       slog.Level
}

// The configuration where no flag names one.
const (
	defaultConfig  = "millrace.yaml"
	configVariable = "MILLRACE_CONFIG" // names another default
)

// flagHelp is the part of the usage text that all workers share.
const flagHelp = `Configuration:
  --config FILE         the configuration (default ` + defaultConfig + `);
                        $` + configVariable + ` names another default
  --check               say what is wrong with the configuration, and exit:
                        0 if nothing is, 2 otherwise
  --offline             ask nobody while checking

Health:
  --probe[=WHAT]        ask the worker that runs with this configuration, at its
                        admin.addr, and exit: 0 if it is live or, by
                        --probe=ready, ready; else 1, with the reason

Logs, on standard error:
  --log-format FORMAT   text or json (default text)
  --log-level LEVEL     debug, info, warn or error (default info)

More:
  --version             say what this binary was built from, and exit
  --help                print this text, and exit

Exit codes: 0 a clean end, 1 a failure while running, 2 a bad configuration or
command line.
`

func (f *flags) set() *flag.FlagSet {
	s := flag.NewFlagSet("", flag.ContinueOnError)
	s.SetOutput(io.Discard)
	s.Usage = func() {}
	s.StringVar(&f.config, "config", cmp.Or(os.Getenv(configVariable), defaultConfig), "")
	s.BoolVar(&f.check, "check", false, "")
	s.BoolVar(&f.offline, "offline", false, "")
	s.Var(&f.probe, "probe", "")
	s.BoolVar(&f.version, "version", false, "")
	s.StringVar(&f.logFormat, "log-format", "text", "")
	s.TextVar(&f.logLevel, "log-level", slog.LevelInfo, "")
	return s
}

// parseFlags reads a command line. The error is flag.ErrHelp where help was
// asked for, else a sentence for the user.
func parseFlags(args []string) (flags, error) {
	var f flags
	s := f.set()
	err := s.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return f, flag.ErrHelp
	case err != nil:
		return f, flagError(s, err)
	case s.NArg() > 0 && f.probe != "":
		return f, fmt.Errorf("unexpected argument %q; what to probe stands behind an equals sign: --probe=ready", s.Arg(0))
	case s.NArg() > 0:
		return f, fmt.Errorf("unexpected argument %q; the configuration is given by --config FILE", s.Arg(0))
	case f.logFormat != "text" && f.logFormat != "json":
		return f, fmt.Errorf("--log-format is %q; it must be text or json", f.logFormat)
	case f.config == "":
		return f, errors.New("--config is empty; name a file")
	case f.check && f.probe != "":
		return f, errors.New("--check and --probe exclude each other: the first looks at a file, the second at a worker")
	case f.offline && !f.check:
		return f, errors.New("--offline goes with --check; a worker that runs cannot stay offline")
	}
	return f, nil
}

// flagError says in our words what the flag package found.
func flagError(s *flag.FlagSet, err error) error {
	message := err.Error()
	if name, ok := strings.CutPrefix(message, "flag provided but not defined: -"); ok {
		var names []string
		s.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
		if near := streams.Nearest(name, append(names, "help")); near != "" {
			return fmt.Errorf("unknown flag --%s; did you mean --%s?", name, near)
		}
		return fmt.Errorf("unknown flag --%s", name)
	}
	if name, ok := strings.CutPrefix(message, "flag needs an argument: -"); ok {
		return fmt.Errorf("--%s needs a value", name)
	}
	if strings.Contains(message, "-probe") {
		return errors.New("--probe is live, which it is alone, or ready")
	}
	if strings.Contains(message, "-log-level") {
		return errors.New("--log-level must be debug, info, warn or error")
	}
	return errors.New(message)
}
