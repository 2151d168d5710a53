package progress

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// What steers a terminal.
const (
	lineStart = "\r"
	linesUp   = "\x1b[%dA"
	clearLine = "\x1b[K"
	clearDown = "\x1b[J"
)

// barWidth is that of a bar without its brackets.
const barWidth = 30

// drawLocked draws all bars over those that are there, with the text above them.
// It writes once, so that nobody sees a half.
func (d *Display) drawLocked(above string) {
	var b strings.Builder
	if d.lines > 0 {
		fmt.Fprintf(&b, lineStart+linesUp, d.lines)
	}
	if above != "" {
		b.WriteString(clearDown + above)
	}
	width, names := d.width(), 0
	for _, it := range d.items {
		names = max(names, utf8.RuneCountInString(it.name))
	}
	for _, it := range d.items {
		b.WriteString(it.drawing(names, width) + clearLine + "\n")
	}
	d.lines = len(d.items)
	_, _ = io.WriteString(d.out, b.String()) // there is nobody else to tell
}

// drawing is the line of the item. It never reaches the last column, where terminals
// begin a new line that nothing would take away again.
func (i *item) drawing(names, width int) string {
	text := fmt.Sprintf("%-*s %4s %s %s", names, i.name, percent(i.done, i.total), i.bar(), i.note)
	if runes := []rune(text); len(runes) >= width {
		return string(runes[:max(0, width-1)])
	}
	return text
}

func (i *item) bar() string {
	filled := 0
	if i.total > 0 {
		filled = int(barWidth * float64(min(i.done, i.total)) / float64(i.total))
	}
	return "[" + strings.Repeat("=", filled) + strings.Repeat(" ", barWidth-filled) + "]"
}
