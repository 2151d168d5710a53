package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/millrace/millrace/internal/devcluster"
	"github.com/millrace/millrace/internal/story"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"compactor": main, "produce": produce, "states": states})
}

// TestStories runs the stories of the command line.
func TestStories(t *testing.T) { stories(t, "testdata/script") }

// TestRefusals runs the stories of folds that are wrong: one mistake each, and
// all that a user is told about it.
func TestRefusals(t *testing.T) { stories(t, "testdata/refused") }

func stories(t *testing.T, dir string) {
	story.Run(t, testscript.Params{
		Dir:   dir,
		Setup: func(e *testscript.Env) error { return os.CopyFS(e.WorkDir+"/schemas", os.DirFS("testdata/schemas")) },
		Cmds:  map[string]story.Command{"refused": story.Refused("compactor", "--check", "--config"), "servers": servers},
	})
}

// servers [ADDR] starts a Kafka with the topic orders and sets KAFKA to its address.
// One at an ADDR has the topic from its first moment on: somebody may be waiting.
func servers(ts *testscript.TestScript, _ bool, args []string) {
	o := devcluster.Options{DataDir: ts.MkAbs("kafka"), Topics: map[string]int32{"orders": 3}}
	if len(args) > 0 {
		ts.Check(start(ts, o).Close())
		o.KafkaAddr = args[0]
	}
	c := start(ts, o)
	ts.Defer(func() { ts.Check(c.Close()) })
	ts.Setenv("KAFKA", c.KafkaAddr())
}

func start(ts *testscript.TestScript, o devcluster.Options) *devcluster.Cluster {
	c, err := devcluster.Start(context.Background(), o)
	ts.Check(err)
	return c
}
