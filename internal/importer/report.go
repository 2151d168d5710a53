package importer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// MaxProblems is how many problems a report names; all are counted.
const MaxProblems = 20

// Problem is a line that could not be written.
type Problem struct {
	File   string
	Line   int64 // from 1
	Reason string
}

// String returns file:line: reason.
func (p Problem) String() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason) }

// Report is what an import did, also where it was broken off.
type Report struct {
	File, Topic string
	// Lines is how many lines were read; blank ones do not count. Each of them
	// was written, present, failed or held, or is lost in memory where the
	// import was broken off.
	Lines int64
	// Written is how many events this import wrote and committed.
	Written int64
	// Present is how many lines were skipped because the topic has that version
	// of their stream already.
	Present int64
	// Failed is how many lines do not parse, do not fit or leave a gap.
	Failed int64
	// Held is how many lines were held back behind a failed one of their stream.
	Held int64
	// Problems are the first of the failed lines, by line, at most MaxProblems.
	Problems []Problem
	Took     time.Duration
}

// OK tells whether every line of the file is in the topic.
func (r Report) OK() bool { return r.Failed == 0 && r.Held == 0 }

// String returns the problems, one to a line, and a summary.
func (r Report) String() string {
	var b strings.Builder
	for _, p := range r.Problems {
		fmt.Fprintln(&b, p)
	}
	if more := r.Failed - int64(len(r.Problems)); more > 0 {
		fmt.Fprintf(&b, "… and %d more\n", more)
	}
	fmt.Fprintf(&b, "%s -> %s: %d lines read, %d written, %d already there", r.File, r.Topic, r.Lines, r.Written, r.Present)
	if !r.OK() {
		fmt.Fprintf(&b, ", %d failed, %d held back behind them", r.Failed, r.Held)
	}
	fmt.Fprintf(&b, " (%v)\n", r.Took.Round(10*time.Millisecond))
	if !r.OK() {
		fmt.Fprintln(&b, "mend the file and import it again: what is there already is skipped, the rest follows in order")
	}
	return b.String()
}

// tally counts while an import runs. It is safe for concurrent use.
type tally struct {
	lines, loaded, written, present, failed, held atomic.Int64

	mu       sync.Mutex
	problems []Problem // guarded by mu; sorted by line
}

// fail counts a line that could not be written and keeps it if it is among the
// first.
func (t *tally) fail(p Problem) {
	t.failed.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	at, _ := slices.BinarySearchFunc(t.problems, p, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	if at >= MaxProblems {
		return
	}
	t.problems = slices.Insert(t.problems, at, p)
	t.problems = t.problems[:min(len(t.problems), MaxProblems)]
}

func (t *tally) report() Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Report{
		Lines:    t.lines.Load(),
		Written:  t.written.Load(),
		Present:  t.present.Load(),
		Failed:   t.failed.Load(),
		Held:     t.held.Load(),
		Problems: slices.Clone(t.problems),
	}
}
