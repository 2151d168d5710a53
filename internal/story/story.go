// Package story runs the stories of command lines: txtar files that say what a
// user typed and configured, and everything that was answered. It is for tests.
package story

import (
	"errors"
	"maps"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Command is a command of the stories beside those of testscript.
type Command = func(ts *testscript.TestScript, neg bool, args []string)

// patience is how long what must come true may take.
const patience = 30 * time.Second

// hung is how long all stories of a folder may take: a command that never ends is
// told by that, with what it said.
const hung = 3 * time.Minute

// Run runs the stories of a folder. Beside the commands of p they have
//
//	exits CODE COMMAND ARG...        the command ends with that code
//	eventually TEXT COMMAND ARG...   it is run until it ends with 0 and its output has the text
//	await FILE...                    waits for files
//	freeport VARIABLE...             sets variables to addresses that are free
//	occupied VARIABLE...             sets variables to addresses that are in use
func Run(t *testing.T, p testscript.Params) {
	t.Helper()
	p.RequireExplicitExec, p.RequireUniqueNames = true, true
	p.Deadline = time.Now().Add(hung)
	commands := map[string]Command{"exits": exits, "eventually": eventually, "await": await, "freeport": freeport, "occupied": occupied}
	maps.Copy(commands, p.Cmds)
	p.Cmds = commands
	testscript.Run(t, p)
}

// Refused returns the command
//
//	refused FILE WANT
//
// which checks a configuration with check. It must be refused, with the text of
// the other file and nothing else.
func Refused(check ...string) Command {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		exits(ts, neg, append(append([]string{"2"}, check...), args[0]))
		if got, want := ts.ReadFile("stderr"), ts.ReadFile(args[1]); got != want {
			ts.Fatalf("got\n%s\nwant\n%s", got, want)
		}
		if out := ts.ReadFile("stdout"); out != "" {
			ts.Fatalf("on standard output: %s", out)
		}
	}
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	if code := run(ts, args[1:]); strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s\n%s", code, args[0], ts.ReadFile("stderr"))
	}
}

// run runs a command and returns its exit code.
func run(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(args[0], args[1:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

func eventually(ts *testscript.TestScript, _ bool, args []string) {
	poll(func() bool { return run(ts, args[1:]) == 0 && strings.Contains(ts.ReadFile("stdout"), args[0]) }, func() {
		ts.Fatalf("no %q; at last:\n%s%s", args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	})
}

func await(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		poll(func() bool {
			_, err := os.Stat(ts.MkAbs(name))
			return err == nil
		}, func() { ts.Fatalf("%s did not appear", name) })
	}
}

// poll asks until the answer is yes, and gives up at last.
func poll(ask func() bool, giveUp func()) {
	for deadline := time.Now().Add(patience); !ask(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			giveUp()
		}
	}
}

func freeport(ts *testscript.TestScript, _ bool, args []string) {
	var all []net.Listener // open until all are chosen, so that they differ
	for _, name := range args {
		all = append(all, listen(ts, name))
	}
	for _, l := range all {
		ts.Check(l.Close())
	}
}

func occupied(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		l := listen(ts, name)
		ts.Defer(func() { l.Close() })
	}
}

// listen sets a variable to the address that it listens on.
func listen(ts *testscript.TestScript, name string) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(name, l.Addr().String())
	return l
}
