package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/millrace/millrace/internal/devcluster"
	"github.com/millrace/millrace/internal/story"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"millrace": main})
}

// TestStories runs the stories of the command line: what a user typed, and
// everything that was answered. Each begins with the files of testdata/shop.
func TestStories(t *testing.T) {
	story.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("MILLRACE_KAFKA", "127.0.0.1:1") // where nobody is
			e.Setenv("MILLRACE_REDIS", "127.0.0.1:2")
			return os.CopyFS(e.WorkDir, os.DirFS("testdata/shop"))
		},
		Cmds: map[string]story.Command{"cluster": cluster, "terminate": terminate, "forge": forge, "trim": trim},
	})
}

// TestRefusals runs the stories of rules that are wrong, which the projector and
// the compactor tell as this command does.
func TestRefusals(t *testing.T) {
	for _, worker := range []string{"projector", "compactor"} {
		story.Run(t, testscript.Params{
			Dir: "../" + worker + "/testdata/refused",
			Setup: func(e *testscript.Env) error {
				return os.CopyFS(e.WorkDir+"/schemas", os.DirFS("../"+worker+"/testdata/schemas"))
			},
			Cmds: map[string]story.Command{"refused": story.Refused("millrace", "check")},
		})
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

// terminate sends SIGTERM to the commands in the background.
func terminate(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGTERM))
	}
}
