// Package progress shows how far long work is: bars on a terminal, a line every
// few seconds elsewhere, so that a log or a pipe stays readable.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// linePause is how long a name says nothing again where there is no terminal.
const linePause = 5 * time.Second

// Display shows named work. Safe for concurrent use.
type Display struct {
	out  io.Writer
	bars *mpb.Progress // nil where out is no terminal

	mu    sync.Mutex
	items map[string]*item
}

type item struct {
	bar  *mpb.Bar
	note string
	said time.Time
	done bool
}

// New returns a display that writes to out.
func New(out io.Writer) *Display {
	d := &Display{out: out, items: map[string]*item{}}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		d.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(48), mpb.WithRefreshRate(100*time.Millisecond))
	}
	return d
}

// Set says that done of total are done, in whatever unit, and what else is worth
// knowing. Work whose done has reached its total is shown once more and then no
// longer.
func (d *Display) Set(name string, done, total int64, note string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	it := d.items[name]
	if it == nil {
		it = &item{}
		d.items[name] = it
		if d.bars != nil {
			it.bar = d.newBar(name, it)
		}
	}
	if it.done {
		return
	}
	it.note, it.done = note, total > 0 && done >= total
	if it.bar != nil {
		it.bar.SetTotal(total, it.done)
		it.bar.SetCurrent(done)
		return
	}
	if now := time.Now(); it.done || now.Sub(it.said) >= linePause {
		it.said = now
		fmt.Fprintf(d.out, "%s: %s %s\n", name, percent(done, total), note)
	}
}

// Close draws the last state of all bars.
func (d *Display) Close() {
	d.mu.Lock()
	for _, it := range d.items {
		if it.bar != nil && !it.done {
			it.bar.Abort(false)
		}
	}
	d.mu.Unlock()
	if d.bars != nil {
		d.bars.Wait()
	}
}

func (d *Display) newBar(name string, it *item) *mpb.Bar {
	note := func(decor.Statistics) string {
		d.mu.Lock()
		defer d.mu.Unlock()
		return it.note
	}
	return d.bars.AddBar(0,
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR), decor.Percentage(decor.WCSyncSpace)),
		mpb.AppendDecorators(decor.Any(note)))
}

func percent(done, total int64) string {
	if total <= 0 {
		return "..."
	}
	return fmt.Sprintf("%d%%", 100*min(done, total)/total)
}
