package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/streams/worker"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// shell runs commands with the streams of a process.
type shell struct {
	in       io.Reader
	out, err io.Writer
}

// command is one command: "view get".
type command struct {
	name  string
	args  string // what it takes beside flags, as the usage shows it
	short string
	long  string // teaches, with examples
	// min and max are how many arguments it takes.
	min, max int
	flags    func(*flag.FlagSet)
	run      func(ctx context.Context, s *shell, args []string) error
}

// usageError is a command line that cannot be run.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

// errReported is a failure that was already told in full.
var errReported = errors.New("reported")

// errInterrupted is the end of a command that a signal ended.
var errInterrupted = errors.New("interrupted")

// main runs the command that args name and returns its exit code.
func (s *shell) main(ctx context.Context, args []string) int {
	switch {
	case len(args) == 0 || isHelp(args[0]):
		return s.help("")
	case args[0] == "help":
		return s.help(strings.Join(args[1:], " "))
	case args[0] == "--version" || args[0] == "-version":
		args[0] = "version"
	}
	c, rest := find(args)
	switch {
	case c != nil:
		return s.exit(c, s.run(ctx, c, rest))
	case len(args) > 1 && isHelp(args[1]) && len(group(args[0])) > 0:
		return s.help(args[0])
	}
	return s.complain("", unknown(args))
}

func (s *shell) run(ctx context.Context, c *command, args []string) error {
	flags := c.flagSet()
	positional, err := parse(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(s.out, c.usage())
		return nil
	case err != nil:
		return err
	case len(positional) < c.min:
		return &usageError{fmt.Sprintf("%s is missing", strings.Fields(c.args)[len(positional)])}
	case len(positional) > c.max:
		return &usageError{fmt.Sprintf("unexpected argument %q", positional[c.max])}
	}
	return attend(ctx, func() error { return c.run(ctx, s, positional) })
}

// grace is how long an interrupted command may take to come to its end.
const grace = 10 * time.Second

// attend calls work and returns its error, but does not wait for ever where ctx
// has ended.
func attend(ctx context.Context, work func() error) error {
	done := make(chan error, 1)
	go func() { done <- work() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(grace):
		return fmt.Errorf("interrupted, and not at its end within %v; what it did so far stays", grace)
	}
}

// exit says what went wrong and returns the exit code.
func (s *shell) exit(c *command, err error) int {
	var usage *usageError
	var problems *worker.Problems
	var file *compose.FileError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailure
	case errors.As(err, &usage):
		return s.complain(c.name, usage.message)
	case errors.As(err, &problems):
		fmt.Fprintln(s.err, problems)
		return exitUsage
	case errors.Is(err, context.Canceled):
		err = errInterrupted
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("%w: it answers too late, as an embedded Redis does while large views are built; try again", err)
	}
	if !errors.As(err, &file) {
		fmt.Fprintf(s.err, "millrace %s: %v\n", c.name, err)
		return exitFailure
	}
	advice := ""
	if file.Missing && c.flagSet().Lookup("config") != nil {
		advice = "; name it with --config FILE"
	}
	fmt.Fprintf(s.err, "millrace %s: %v%s\n", c.name, err, advice)
	return exitUsage
}

// complain says what is wrong with a command line; name is that of the command,
// empty where there is none.
func (s *shell) complain(name, message string) int {
	command := strings.TrimRight("millrace "+name, " ")
	fmt.Fprintf(s.err, "%s: %s\nTry %s --help.\n", command, message, command)
	return exitUsage
}
