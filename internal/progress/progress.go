// Package progress shows how far long work is: bars on a terminal, a line every
// few seconds elsewhere, so that a log or a pipe stays readable.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	// linePause is how long a name says nothing where there is no terminal, at
	// first too: what is done sooner needs no progress.
	linePause = 5 * time.Second
	// drawPause is how long bars stay as they are, so that they do not flicker.
	drawPause = 100 * time.Millisecond
)

// Display shows named work. It draws while its methods are called, so it has
// nothing that runs beside them. Safe for concurrent use.
type Display struct {
	out io.Writer
	// width returns that of the terminal; nil where out is none.
	width func() int

	mu     sync.Mutex
	items  []*item // in the order of their bars
	lines  int     // how many the bars take on the terminal
	drawn  time.Time
	closed bool
}

// item is one named work.
type item struct {
	name        string
	done, total int64
	note        string

	line string // what was said of it last; not of a bar
	said time.Time
}

func (i *item) finished() bool { return i.total > 0 && i.done >= i.total }

// New returns a display that writes to out.
func New(out io.Writer) *Display {
	d := &Display{out: out}
	if Width(out) > 0 && os.Getenv("TERM") != "dumb" { // such a terminal cannot draw
		d.width = func() int { return Width(out) }
	}
	return d
}

// Width returns how many characters fit a line of the terminal; 0 where out is
// none but a file or a pipe, whose reader wants everything.
func Width(out io.Writer) int {
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		return w
	}
	return 80 // it does not tell
}

// Set says that done of total are done, in whatever unit, and what else is worth
// knowing. A total of 0 is unknown. Work whose done has reached its total is shown
// once more and then no longer changes.
func (d *Display) Set(name string, done, total int64, note string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	it := d.itemLocked(name)
	if d.closed || it.finished() {
		return
	}
	it.done, it.total, it.note = done, total, oneLine(note)
	now := time.Now()
	switch {
	case d.width == nil:
		it.say(d.out, now)
	case it.finished() || now.Sub(d.drawn) >= drawPause:
		d.drawn = now
		d.drawLocked("")
	}
}

// say prints a line, not too often and not twice the same.
func (i *item) say(out io.Writer, now time.Time) {
	line := fmt.Sprintf("%s: %s %s\n", i.name, percent(i.done, i.total), i.note)
	if line == i.line || now.Sub(i.said) < linePause && !i.finished() {
		return
	}
	i.line, i.said = line, now
	fmt.Fprint(out, line)
}

// oneLine makes one line of a note: others would tear the bars apart.
func oneLine(note string) string { return strings.Join(strings.Fields(note), " ") }

func (d *Display) itemLocked(name string) *item {
	for _, it := range d.items {
		if it.name == name {
			return it
		}
	}
	it := &item{name: name, said: time.Now()}
	d.items = append(d.items, it)
	return it
}

// Write writes whole lines of a log: above the bars, where there are any.
func (d *Display) Write(text []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.width == nil || d.closed {
		return d.out.Write(text)
	}
	d.drawLocked(string(text))
	return len(text), nil
}

// Close draws the last state of all bars and leaves them. What is written later
// stands below them.
func (d *Display) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.width != nil && !d.closed {
		d.drawLocked("")
	}
	d.closed = true
}

// Clear takes all bars away. What is written later stands in their place.
func (d *Display) Clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lines > 0 && !d.closed {
		fmt.Fprintf(d.out, lineStart+linesUp+clearDown, d.lines)
	}
	d.closed = true
}

func percent(done, total int64) string {
	if total <= 0 {
		return "..."
	}
	return fmt.Sprintf("%d%%", 100*min(done, total)/total)
}
