package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/millrace/millrace/internal/devcluster"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"millrace": main})
}

// TestStories runs the stories of the command line: what a user typed, and
// everything that was answered. Each begins with the files of testdata/shop.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("MILLRACE_KAFKA", "127.0.0.1:1") // where nobody is
			e.Setenv("MILLRACE_REDIS", "127.0.0.1:2")
			return os.CopyFS(e.WorkDir, os.DirFS("testdata/shop"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"cluster": cluster, "exits": exits, "eventually": eventually,
			"freeport": freeport, "occupied": occupied, "terminate": terminate,
		},
	})
}

// TestRefusals runs the stories of rules that are wrong, which the projector
// tells as this command does.
func TestRefusals(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "../projector/testdata/refused",
		Setup: func(e *testscript.Env) error {
			return os.CopyFS(e.WorkDir+"/schemas", os.DirFS("../projector/testdata/schemas"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"refused": refused},
	})
}

// refused FILE WANT checks a configuration, which must be refused with the text
// of the other file.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	exits(ts, neg, []string{"2", "millrace", "check", args[0]})
	if got, want := ts.ReadFile("stderr"), ts.ReadFile(args[1]); got != want {
		ts.Fatalf("got\n%s\nwant\n%s", got, want)
	}
}

// cluster TOPIC=PARTITIONS... starts a Kafka and a Redis for the story.
func cluster(ts *testscript.TestScript, _ bool, args []string) {
	topics := map[string]int32{}
	for _, a := range args {
		name, n, _ := strings.Cut(a, "=")
		partitions, err := strconv.Atoi(n)
		ts.Check(err)
		topics[name] = int32(partitions)
	}
	c, err := devcluster.Start(context.Background(), devcluster.Options{Topics: topics})
	ts.Check(err)
	ts.Defer(func() { ts.Check(c.Close()) })
	ts.Setenv("MILLRACE_KAFKA", c.KafkaAddr())
	ts.Setenv("MILLRACE_REDIS", c.RedisAddr())
}

// exits CODE COMMAND ARG... runs the command, which must exit with that code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if code := exitCode(ts, args[1:]); strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s\n%s", code, args[0], ts.ReadFile("stderr"))
	}
}

func exitCode(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(args[0], args[1:]...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// eventually TEXT COMMAND ARG... runs the command until its standard output has
// the text.
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if exitCode(ts, args[1:]) == 0 && strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
	}
	ts.Fatalf("no %q; at last:\n%s%s", args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
}

// freeport VARIABLE... sets variables to addresses that are free.
func freeport(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		l := listen(ts)
		ts.Setenv(name, l.Addr().String())
		ts.Check(l.Close())
	}
}

// occupied VARIABLE sets a variable to an address that is in use.
func occupied(ts *testscript.TestScript, _ bool, args []string) {
	l := listen(ts)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

func listen(ts *testscript.TestScript) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	return l
}

// terminate sends SIGTERM to the commands in the background.
func terminate(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGTERM))
	}
}
