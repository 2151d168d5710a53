package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Build is a folder of binaries of this module, each built once, when a test
// first asks for it. It is safe for concurrent use.
type Build struct {
	mu   sync.Mutex
	dir  string // empty until the first build
	done map[string]error
}

// Binary returns the path of the binary of a command, such as "projector", and
// builds it from ./cmd first where that is still to be done.
func (b *Build) Binary(tb testing.TB, command string) string {
	tb.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dir == "" {
		dir, err := os.MkdirTemp("", "millrace-e2e-") //nolint:usetesting // it outlives the first test that asks
		if err != nil {
			tb.Fatal(err)
		}
		b.dir, b.done = dir, map[string]error{}
	}
	path := filepath.Join(b.dir, command)
	err, ok := b.done[command]
	if !ok {
		err = build(path, "github.com/millrace/millrace/cmd/"+command)
		b.done[command] = err
	}
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

func build(path, pkg string) error {
	if out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// Remove removes the binaries.
func (b *Build) Remove() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	dir := b.dir
	b.dir = ""
	if dir == "" {
		return nil
	}
	return os.RemoveAll(dir)
}

// Root returns the root folder of this module.
func Root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal(errors.New("no go.mod in the working directory or above"))
		}
		dir = parent
	}
}
