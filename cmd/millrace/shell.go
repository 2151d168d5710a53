package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/millrace/millrace/streams"
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
	args  string // what follows the flags, as the usage shows it
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

// main runs the command that args name and returns its exit code.
func (s *shell) main(ctx context.Context, args []string) int {
	if len(args) == 0 || slices.Contains([]string{"help", "--help", "-help", "-h"}, args[0]) {
		s.help(args)
		return exitOK
	}
	if args[0] == "--version" || args[0] == "-version" {
		args[0] = "version"
	}
	c, rest := find(args)
	if c == nil {
		fmt.Fprintf(s.err, "millrace: %s\nTry millrace --help.\n", unknown(args))
		return exitUsage
	}
	return s.exit(c, s.run(ctx, c, rest))
}

func (s *shell) run(ctx context.Context, c *command, args []string) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	if c.flags != nil {
		c.flags(flags)
	}
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
	return c.run(ctx, s, positional)
}

// exit says what went wrong and returns the exit code.
func (s *shell) exit(c *command, err error) int {
	var usage *usageError
	var problems *worker.Problems
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailure
	case errors.As(err, &usage):
		fmt.Fprintf(s.err, "millrace %s: %v\nTry millrace %s --help.\n", c.name, err, c.name)
		return exitUsage
	case errors.As(err, &problems):
		fmt.Fprintln(s.err, err)
		return exitUsage
	}
	fmt.Fprintf(s.err, "millrace %s: %v\n", c.name, err)
	return exitFailure
}

// find returns the command that the first words name, and the words behind.
func find(args []string) (*command, []string) {
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return c, args[len(words):]
		}
	}
	return nil, nil
}

func unknown(args []string) string {
	var names, groups []string
	for _, c := range commands() {
		names = append(names, c.name)
		if group, verb, ok := strings.Cut(c.name, " "); ok && group == args[0] {
			groups = append(groups, verb)
		}
	}
	if len(groups) > 0 {
		return fmt.Sprintf("%s takes one of: %s", args[0], strings.Join(groups, ", "))
	}
	if near := streams.Nearest(args[0], names); near != "" {
		return fmt.Sprintf("there is no command %q; did you mean %q?", args[0], near)
	}
	return fmt.Sprintf("there is no command %q", args[0])
}

// parse reads flags wherever they stand between the arguments.
func parse(flags *flag.FlagSet, args []string) (positional []string, err error) {
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, flagError(flags, err)
		}
		rest := flags.Args()
		if len(rest) == 0 {
			return positional, nil
		}
		if len(rest) < len(args) && args[len(args)-len(rest)-1] == "--" {
			return append(positional, rest...), nil
		}
		positional, args = append(positional, rest[0]), rest[1:]
	}
	return positional, nil
}

// flagError says in our words what the flag package found.
func flagError(flags *flag.FlagSet, err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !ok {
		return &usageError{strings.Replace(err.Error(), ": -", ": --", 1)}
	}
	var names []string
	flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	if near := streams.Nearest(name, names); near != "" {
		return &usageError{fmt.Sprintf("unknown flag --%s; did you mean --%s?", name, near)}
	}
	return &usageError{fmt.Sprintf("unknown flag --%s", name)}
}

// usage is the help of a command.
func (c *command) usage() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nUsage: millrace %s [flags] %s\n\n%s", c.short, c.name, c.args, c.long)
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	if c.flags != nil {
		c.flags(flags)
		b.WriteString("\nFlags:\n")
	}
	flags.VisitAll(func(f *flag.Flag) {
		kind, text := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
			text += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		name := "--" + f.Name
		if len(f.Name) == 1 {
			name = "-" + f.Name
		}
		fmt.Fprintf(&b, "  %-24s %s\n", strings.TrimSpace(name+" "+kind), text)
	})
	return b.String()
}

// help prints the list of commands, or the help of one.
func (s *shell) help(args []string) {
	if len(args) > 1 {
		if c, _ := find(args[1:]); c != nil {
			fmt.Fprint(s.out, c.usage())
			return
		}
	}
	fmt.Fprint(s.out, "millrace is the operator's tool of Millrace, event-sourced systems on Kafka.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(s.out, "  %-14s %s\n", c.name, c.short)
	}
	fmt.Fprint(s.out, "\nBegin with: millrace demo\nMore about a command: millrace COMMAND --help\n")
}
