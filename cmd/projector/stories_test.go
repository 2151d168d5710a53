package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"projector": main, "servers": servers})
}

// TestStories runs the stories of the command line.
func TestStories(t *testing.T) { stories(t, "testdata/script") }

// TestRefusals runs the stories of rules that are wrong: one mistake each, and
// all that a user is told about it.
func TestRefusals(t *testing.T) { stories(t, "testdata/refused") }

func stories(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               func(e *testscript.Env) error { return os.CopyFS(e.WorkDir+"/schemas", os.DirFS("testdata/schemas")) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "refused": refused, "freeport": freeport, "await": await, "ready": ready, "signal": signal,
		},
	})
}

// refused FILE WANT checks a configuration, which must be refused with the text
// of the other file.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	exits(ts, neg, []string{"2", "projector", "--config", args[0], "--check"})
	if got, want := ts.ReadFile("stderr"), ts.ReadFile(args[1]); got != want {
		ts.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("on standard output: %s", out)
	}
}

// exits CODE COMMAND ARG... runs the command, which must exit with that code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s\n%s", code, args[0], ts.ReadFile("stderr"))
	}
}
