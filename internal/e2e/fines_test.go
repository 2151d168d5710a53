package e2e

import (
	"bufio"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/e2e/fines"
)

var fineViews = []string{fines.ViewFine, fines.ViewArticles, fines.ViewMonths}

// fineRun is a topic with the log of traffic fines, the views of the example,
// and what they must hold.
type fineRun struct {
	*Env
	topic  string
	config string // path of the example, with the topic of this test
	log    string // path of the lines
	want   *fines.Expected
}

// importFines imports the first lines of the log, all of them where lines is 0.
// The configuration is that of the example, edited: old text, new text, ...
func importFines(t *testing.T, lines int, edits ...string) *fineRun {
	t.Helper()
	r := newFines(t, lines, edits...)
	r.importer().ended(0)
	r.visible(r.topic)
	return r
}

// newFines leaves the import to the test.
func newFines(t *testing.T, lines int, edits ...string) *fineRun {
	t.Helper()
	r := &fineRun{Env: New(t), log: headOfLog(t, lines)}
	r.topic = r.TopicName("fines")
	dir := t.TempDir()
	r.config = filepath.Join(dir, "fines.yaml")
	example, err := os.ReadFile(filepath.Join(Root(t), "examples", "fines", "fines.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	edits = append(slices.Clone(edits), "topics: [fines]", "topics: ["+r.topic+"]")
	config := strings.NewReplacer(edits...).Replace(string(example))
	if err := os.WriteFile(r.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MILLRACE_SCHEMAS", filepath.Join(dir, "schemas"))
	r.expect()
	return r
}

// headOfLog writes the first lines of the log to a file and returns its path.
func headOfLog(t *testing.T, lines int) string {
	t.Helper()
	log, err := fines.Open()
	if errors.Is(err, fines.ErrNoLog) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	path := filepath.Join(t.TempDir(), "log.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	in := bufio.NewScanner(log)
	for n := 0; (lines == 0 || n < lines) && in.Scan(); n++ {
		out.Write(append(in.Bytes(), '\n'))
	}
	if err := errors.Join(in.Err(), out.Flush()); err != nil {
		t.Fatal(err)
	}
	return path
}

func (r *fineRun) expect() {
	r.t.Helper()
	f, err := os.Open(r.log)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	if r.want, err = fines.Expect(f); err != nil {
		r.t.Fatal(err)
	}
}

// importer starts an import of the lines.
func (r *fineRun) importer() *Worker {
	r.t.Helper()
	return r.Start(WorkerSpec{Name: "import", Path: binaries.Binary(r.t, "millrace"), Args: []string{
		"import", "--config", r.config, "--topic", r.topic, "--partitions", "12", "--infer", os.Getenv("MILLRACE_SCHEMAS"), r.log,
	}})
}

// ended waits until a worker has ended, with that code.
func (w *Worker) ended(code int) {
	w.t.Helper()
	if got := w.Wait(5 * time.Minute); got != code {
		w.t.Fatalf("%s ended with code %d, want %d", w.name, got, code)
	}
}

// projector starts a worker of the three views.
func (r *fineRun) projector(env ...string) *Worker {
	r.t.Helper()
	return r.Start(WorkerSpec{Path: binaries.Binary(r.t, "projector"), Args: []string{"--config", r.config}, Env: env})
}

// caughtUp waits until the views are at the end of the topic, and compares every
// byte of every row with the oracle.
func (r *fineRun) caughtUp(timeout time.Duration) {
	r.t.Helper()
	r.WaitCaughtUp(timeout, r.topic, fineViews...)
	for _, view := range fineViews {
		if diff := fines.Diff(r.want.Views[view], r.Rows(view, 1)); diff != "" {
			r.t.Errorf("view %s:\n%s", view, diff)
		}
		if count := r.Redis.Get(r.context(), r.Prefix+"{"+view+".1}:m:rows").Val(); count != itoa(len(r.want.Views[view])) {
			r.t.Errorf("view %s counts %s rows, want %d", view, count, len(r.want.Views[view]))
		}
	}
}

// wipe removes the views, and the workers begin from nothing.
func (r *fineRun) wipe() {
	r.t.Helper()
	if err := r.deleteKeys(r.context()); err != nil {
		r.t.Fatal(err)
	}
}

// One worker and three leave the same rows, row counts and positions: those of
// an independent computation.
func TestFines(t *testing.T) {
	r := importFines(t, 0)
	if r.want.Events != 561_470 {
		t.Fatalf("the log has %d events, want 561470", r.want.Events)
	}
	r.inOrder()
	alone := r.projector()
	alone.WaitReady(5 * time.Minute)
	r.caughtUp(time.Minute)
	positions := r.positions()
	alone.Terminate()
	alone.ended(0)

	r.wipe()
	r.Proxy().Delay(5 * time.Millisecond) // so that all three have work
	workers := []*Worker{r.projector(), r.projector(), r.projector()}
	r.caughtUp(5 * time.Minute)
	if got := r.positions(); !maps.EqualFunc(got, positions, maps.Equal) {
		t.Errorf("positions of three workers %v, of one %v", got, positions)
	}
	for i, w := range workers {
		if w.applied() == 0 {
			t.Errorf("worker %d had nothing to do", i)
		}
	}
}

// positions are those of the views.
func (r *fineRun) positions() map[string]map[string]string {
	r.t.Helper()
	all := map[string]map[string]string{}
	for _, view := range fineViews {
		all[view] = r.Positions(view, 1)
	}
	return all
}
