package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/millrace/millrace/internal/story"
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
	story.Run(t, testscript.Params{
		Dir:   dir,
		Setup: func(e *testscript.Env) error { return os.CopyFS(e.WorkDir+"/schemas", os.DirFS("testdata/schemas")) },
		Cmds: map[string]story.Command{
			"refused": story.Refused("projector", "--check", "--config"), "ready": ready, "signal": signal,
		},
	})
}
