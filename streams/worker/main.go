package worker

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
)

// App is a worker: what it is called, what it reads, what it does.
type App struct {
	// Name is the name of the command, projector.
	Name string
	// Usage says what the worker does and teaches it by examples. The flags are
	// printed behind it.
	Usage string
	// Version is that of the binary. Default: what the build knows.
	Version string
	// Blocks are pointers to the configuration structs of the blocks that the
	// worker reads, by name. The admin block is read in any case.
	Blocks map[string]any
	// Check finds what the decoding of the blocks cannot: errors in rules, for
	// instance. It adds them to the file, which may have problems already; blocks
	// with problems are not complete. offline forbids to ask anybody. An error is
	// one that has no place in the file. Nil checks nothing.
	Check func(ctx context.Context, f *File, offline bool) error
	// Run does the work until its context ends. It returns nil, or the context's
	// error, when it has stopped in order.
	Run func(ctx context.Context, r Runtime) error
}

// Runtime is what Run gets from the shell.
type Runtime struct {
	File    *File
	Log     *slog.Logger
	Health  *Health
	Metrics *prometheus.Registry
}

// Exit codes of a worker.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// Main runs a worker with the flags, streams and signals of the process and
// returns its exit code. It is called once, and what it returns goes to os.Exit
// at once: after a second signal, work may still be under way.
func Main(app App) int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	p := process{app: app, signals: signals, out: os.Stdout, err: os.Stderr}
	return p.main(os.Args[1:])
}

// process is one run of a worker.
type process struct {
	app      App
	signals  <-chan os.Signal
	out, err io.Writer
	admin    AdminConfig
}

func (p *process) main(args []string) int {
	f, err := parseFlags(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(p.out, "%s\n%s", p.app.Usage, flagHelp)
		return exitOK
	case err != nil:
		fmt.Fprintf(p.err, "%s: %v\nTry %s --help.\n", p.app.Name, err, p.app.Name)
		return exitUsage
	case f.version:
		fmt.Fprintln(p.out, readVersion(p.app.Version).line(p.app.Name))
		return exitOK
	}
	if f.probe != "" {
		return p.probe(f)
	}
	file, err := p.load(f)
	if err != nil {
		fmt.Fprintln(p.err, err)
		var interrupted *interruptedError
		if errors.As(err, &interrupted) {
			return exitFailure
		}
		return exitUsage
	}
	if f.check {
		fmt.Fprintf(p.out, "%s: ok\n", f.config)
		return exitOK
	}
	return p.serve(f, file)
}

// load reads and checks the configuration.
func (p *process) load(f flags) (*File, error) {
	blocks := map[string]any{}
	maps.Copy(blocks, p.app.Blocks)
	blocks["admin"] = &p.admin
	file, err := p.read(f.config, blocks)
	if p.app.Check == nil || file == nil || file.root == nil && err != nil {
		return file, err
	}
	return file, p.check(file, f.offline)
}

// read reads these blocks of the configuration. The file is nil where there is
// none.
func (p *process) read(name string, blocks map[string]any) (*File, error) {
	src, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: opening %s: there is no such file; name the configuration by --config FILE", p.app.Name, name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: reading the configuration: %w", p.app.Name, err)
	}
	return Load(name, src, blocks, KnownBlocks())
}

// interruptedError is a check that a signal ended.
type interruptedError struct{ error }

func (p *process) check(file *File, offline bool) error {
	interrupted := false
	s := supervisor{p.signals, 0, slog.New(slog.DiscardHandler), func() { interrupted = true }}
	err := s.run(func(ctx context.Context) error { return p.app.Check(ctx, file, offline) })
	if interrupted {
		return &interruptedError{fmt.Errorf("%s: interrupted while checking %s", p.app.Name, file.Name)}
	}
	if err != nil {
		err = fmt.Errorf("%s: %s", file.Name, file.scrub(err.Error()))
	}
	return errors.Join(file.Err(), err)
}
