package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/streams"
)

func isHelp(arg string) bool { return slices.Contains([]string{"--help", "-help", "-h"}, arg) }

const about = `millrace imports events, shows streams, views and snapshots, checks configurations,
and runs a whole cluster in one process to try things on.

`

const teaching = `
Begin with:
  millrace demo                                       everything, in one process
  millrace help import                                more about a command

Then, with a configuration of your own:
  millrace check shop.yaml                            what is wrong with it
  millrace dev -f shop.yaml                           Kafka, Redis and your views
  millrace import --config shop.yaml --topic orders orders.jsonl
  millrace view status --config shop.yaml

Exit codes: 0 done, 1 it failed, 2 a bad configuration or command line.
`

// help prints the list of commands, those of a group, or the help of one.
func (s *shell) help(topic string) int {
	commands := commands()
	if words := strings.Fields(topic); len(words) > 0 {
		if c, _ := find(words); c != nil {
			fmt.Fprint(s.out, c.usage())
			return exitOK
		}
		if commands = group(words[0]); len(commands) == 0 {
			return s.complain("", unknown(words))
		}
		fmt.Fprint(s.out, "Commands:\n")
	} else {
		fmt.Fprint(s.out, about+"Commands:\n")
	}
	for _, c := range commands {
		fmt.Fprintf(s.out, "  %-16s %s\n", c.name, c.short)
	}
	if topic == "" {
		fmt.Fprint(s.out, teaching)
	}
	return exitOK
}

// usage is the help of a command.
func (c *command) usage() string {
	var b strings.Builder
	b.WriteString(c.short + "\n\nUsage: millrace " + c.name)
	flags := c.flagSet()
	if c.flags != nil {
		b.WriteString(" [flags]")
	}
	if c.args != "" {
		b.WriteString(" " + c.args)
	}
	b.WriteString("\n")
	if c.long != "" {
		b.WriteString("\n" + c.long)
	}
	if c.flags != nil {
		b.WriteString("\nFlags:\n")
	}
	flags.VisitAll(func(f *flag.Flag) {
		kind, text := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
			text += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		fmt.Fprintf(&b, "  %-20s %s\n", strings.TrimSpace(dashed(f.Name)+" "+kind), text)
	})
	return b.String()
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

// group returns the commands that begin with a word: view.
func group(name string) (found []*command) {
	for _, c := range commands() {
		if strings.HasPrefix(c.name, name+" ") {
			found = append(found, c)
		}
	}
	return found
}

// unknown says what is wrong with words that name no command.
func unknown(args []string) string {
	if strings.HasPrefix(args[0], "-") {
		return fmt.Sprintf("flags follow a command; there is no %s before one", args[0])
	}
	if commands := group(args[0]); len(commands) > 0 {
		return unknownVerb(args, commands)
	}
	var names []string
	for _, c := range commands() {
		first, _, _ := strings.Cut(c.name, " ")
		names = append(names, first, c.name)
	}
	if near := streams.Nearest(strings.Join(args[:min(2, len(args))], " "), names); near != "" {
		return fmt.Sprintf("there is no command %q; did you mean %q?", strings.Join(args[:min(2, len(args))], " "), near)
	}
	if near := streams.Nearest(args[0], names); near != "" {
		return fmt.Sprintf("there is no command %q; did you mean %q?", args[0], near)
	}
	return fmt.Sprintf("there is no command %q", args[0])
}

// unknownVerb says which commands a group has.
func unknownVerb(args []string, commands []*command) string {
	var verbs []string
	for _, c := range commands {
		verbs = append(verbs, strings.TrimPrefix(c.name, args[0]+" "))
	}
	if len(args) > 1 {
		if near := streams.Nearest(args[1], verbs); near != "" {
			return fmt.Sprintf("there is no command %q; did you mean %q?", args[0]+" "+args[1], args[0]+" "+near)
		}
	}
	return fmt.Sprintf("%s is followed by one of: %s", args[0], strings.Join(verbs, ", "))
}
