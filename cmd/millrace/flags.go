package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/millrace/millrace/streams"
)

// defaultConfig is the configuration where none is named.
const defaultConfig = "millrace.yaml"

// configFlag is the flag that every command with a configuration has.
func configFlag(f *flag.FlagSet, config *string) {
	f.StringVar(config, "config", cmp.Or(os.Getenv("MILLRACE_CONFIG"), defaultConfig), "the configuration `FILE`; $MILLRACE_CONFIG names another default")
}

func (c *command) flagSet() *flag.FlagSet {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	if c.flags != nil {
		c.flags(flags)
	}
	return flags
}

// parse reads flags wherever they stand between the arguments. What follows --
// is no flag.
func parse(flags *flag.FlagSet, args []string) (positional []string, err error) {
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, flagError(flags, err)
		}
		rest := flags.Args()
		if taken := len(args) - len(rest); taken > 0 && args[taken-1] == "--" {
			return append(positional, rest...), nil
		}
		if len(rest) == 0 {
			break
		}
		positional, args = append(positional, rest[0]), rest[1:]
	}
	return positional, nil
}

// badValue is how the flag package says that a value does not fit.
var badValue = regexp.MustCompile(`(?s)^invalid (?:boolean )?value "(.*)" for (?:flag )?-(\S+): (.*)$`)

// flagError says in our words what the flag package found.
func flagError(flags *flag.FlagSet, err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	message := err.Error()
	if name, ok := strings.CutPrefix(message, "flag provided but not defined: -"); ok {
		return &usageError{unknownFlag(flags, name)}
	}
	if name, ok := strings.CutPrefix(message, "flag needs an argument: -"); ok {
		return &usageError{dashed(name) + " needs a value"}
	}
	if m := badValue.FindStringSubmatch(message); m != nil {
		return &usageError{fmt.Sprintf("%s is %q; it must be %s", dashed(m[2]), m[1], wanted(flags.Lookup(m[2])))}
	}
	return &usageError{message}
}

func unknownFlag(flags *flag.FlagSet, name string) string {
	names := []string{"help"}
	flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	if near := streams.Nearest(name, names); near != "" {
		return fmt.Sprintf("unknown flag %s; did you mean %s?", dashed(name), dashed(near))
	}
	return "unknown flag " + dashed(name)
}

// wanted says what the values of a flag are.
func wanted(f *flag.Flag) string {
	getter, _ := f.Value.(flag.Getter)
	switch getter.Get().(type) {
	case bool:
		return "true or false"
	case int:
		return "a whole number"
	case uint64:
		return "a whole number, not negative"
	}
	return "another value"
}

// maxPartitions is more than anybody wants, and what a small machine can still
// make.
const maxPartitions = 10_000

// checkPartitions checks a number of partitions.
func checkPartitions(n, least int) error {
	if n < least || n > maxPartitions {
		return &usageError{fmt.Sprintf("--partitions is %d; it must be from 1 to %d", n, maxPartitions)}
	}
	return nil
}

// dashed is a flag as it is written.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
