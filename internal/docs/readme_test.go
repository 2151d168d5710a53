package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/e2e"
)

// TestReadme does what "Your own events in ten minutes" says, on free ports, and
// compares what is printed.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(e2e.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\nmillrace dev\n") {
		t.Error("the README does not start a Kafka and a Redis as this test does")
	}
	w := newWalk(t)
	data, yaml := blocks(string(text), "json"), blocks(string(text), "yaml")
	if len(data) != 2 || len(yaml) != 2 {
		t.Fatalf("the README has %d blocks of JSON and %d of YAML, want two of each", len(data), len(yaml))
	}
	w.write("fines.jsonl", data[0])
	if !strings.Contains(string(text), "\nMILLRACE_ADMIN=127.0.0.1:8081 compactor --config fines.yaml\n") {
		t.Error("the README does not start the compactor as this test does: at an address of its own")
	}
	config := yaml[0]
	const off = "\nadmin: {addr: \"off\"}\n"
	w.write("fines.yaml", config+off)
	w.write("wrong.yaml", strings.NewReplacer(
		`"=data.paid"`, `"=data.payed"`,
		"          add:\n            fines: 1\n", "          set:\n            last: \"=stream\"\n          add:\n            fines: 1\n",
	).Replace(config))

	commands := console(string(text))
	if len(commands) < 8 {
		t.Fatalf("the README has %d commands with output, want at least 8", len(commands))
	}
	run := func(worker string) func() *e2e.Worker {
		return sync.OnceValue(func() *e2e.Worker {
			return e2e.StartWorker(t, e2e.WorkerSpec{Path: w.binaries.Binary(t, worker), Args: []string{"--config", "fines.yaml"}, Dir: w.dir})
		})
	}
	project, compact := run("projector"), run("compactor")
	for _, c := range commands {
		switch {
		case strings.HasPrefix(c.line, "millrace view"):
			project()
		case strings.HasPrefix(c.line, "millrace snapshot"):
			w.write("schemas/FineState.avsc", data[1])
			w.write("fines.yaml", config+yaml[1])
			compact().WaitReady(time.Minute)
		}
		w.check(c)
	}
}

// TestSnippets looks for the Go code of the README in the source that it is of.
func TestSnippets(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(e2e.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(e2e.Root(t), "examples", "shop", "view_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	if code := block(t, string(readme), "go"); !strings.Contains(string(source), code) {
		t.Errorf("the README has code that is not in examples/shop/view_test.go:\n%s", code)
	}
}

// block returns the first fenced block of a language.
func block(t *testing.T, text, language string) string {
	t.Helper()
	all := blocks(text, language)
	if len(all) == 0 {
		t.Fatalf("the README has no block of %s", language)
	}
	return all[0]
}

// blocks returns the fenced blocks of a language.
func blocks(text, language string) (all []string) {
	for {
		_, rest, ok := strings.Cut(text, "\n```"+language+"\n")
		if !ok {
			return all
		}
		body, after, _ := strings.Cut(rest, "```")
		all, text = append(all, body), after
	}
}

// printed is a command and what it prints.
type printed struct{ line, output string }

// console returns the commands of the console blocks.
func console(text string) (commands []printed) {
	for {
		_, rest, ok := strings.Cut(text, "\n```console\n")
		if !ok {
			return commands
		}
		body, after, _ := strings.Cut(rest, "```")
		text = after
		for line := range strings.Lines(body) {
			switch command, is := strings.CutPrefix(line, "$ "); {
			case is:
				commands = append(commands, printed{line: strings.TrimSpace(command)})
			case len(commands) > 0:
				commands[len(commands)-1].output += line
			}
		}
	}
}

// walk is a newcomer's folder, with the binaries and a cluster of its own.
type walk struct {
	t        *testing.T
	dir      string
	binaries *e2e.Build
	local    *strings.Replacer // addresses of the README to those of the cluster
}

// listening is where millrace dev says that it can be reached.
var listening = regexp.MustCompile(`Kafka on (\S+:\d+), Redis on (\S+:\d+)`)

func newWalk(t *testing.T) *walk {
	t.Helper()
	w := &walk{t: t, dir: t.TempDir(), binaries: new(e2e.Build)}
	t.Cleanup(func() {
		if err := w.binaries.Remove(); err != nil {
			t.Error(err)
		}
	})
	millrace := w.binaries.Binary(t, "millrace")
	t.Setenv("PATH", filepath.Dir(millrace)+string(os.PathListSeparator)+os.Getenv("PATH"))
	dev := e2e.StartWorker(t, e2e.WorkerSpec{Path: millrace, Args: []string{"dev", "--kafka", ":0", "--redis", ":0"}, Dir: w.dir})
	var addrs []string
	e2e.Poll(t, time.Minute, func() (bool, string) {
		addrs = listening.FindStringSubmatch(dev.Log())
		return addrs != nil, "millrace dev says " + dev.Log()
	})
	_, port, _ := strings.Cut(addrs[2], ":")
	w.local = strings.NewReplacer("127.0.0.1:9092", addrs[1], "127.0.0.1:6379", addrs[2], "redis-cli ", "redis-cli -p "+port+" ")
	return w
}

func (w *walk) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(w.local.Replace(text)), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// check runs a command until it prints what the README says: what views and
// snapshots show comes a moment after their worker was started.
func (w *walk) check(c printed) {
	w.t.Helper()
	tool, _, _ := strings.Cut(c.line, " ")
	if _, err := exec.LookPath(tool); err != nil {
		w.t.Logf("left out, since %s is not installed: %s", tool, c.line)
		return
	}
	patience := time.Minute
	if !strings.HasPrefix(c.line, "millrace view") && !strings.HasPrefix(c.line, "millrace snapshot") {
		patience = 0
	}
	want := same(c.output)
	e2e.Poll(w.t, patience, func() (bool, string) {
		got := same(w.run(c.line))
		return got == want, fmt.Sprintf("$ %s\nprints\n%s\nthe README has\n%s", c.line, got, want)
	})
}

// run returns what a command prints, and what it complains of where it fails.
func (w *walk) run(line string) string {
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr strings.Builder
	cmd := exec.CommandContext(ctx, "sh", "-c", w.local.Replace(line))
	cmd.Dir, cmd.Stdout, cmd.Stderr = w.dir, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String() + stderr.String()
	}
	return stdout.String()
}

var took = regexp.MustCompile(`\([0-9.]+m?s\)`)

// same leaves out what may differ: how long it took, the quotes that redis-cli
// shows on a terminal only, and spaces at the ends of lines.
func same(s string) string {
	s = strings.ReplaceAll(took.ReplaceAllString(s, "(…)"), `"41.3"`, "41.3")
	var lines []string
	for line := range strings.Lines(s) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return strings.Join(lines, "\n")
}
