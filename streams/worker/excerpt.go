package worker

import (
	"slices"
	"strings"
	"unicode"

	"github.com/millrace/millrace/streams"
)

// shownLine is a line of the source and what of it must not be shown.
type shownLine struct {
	text   []rune
	hidden []span // sorted, apart from each other
}

// span is a range of characters of a line, counted from 0.
type span struct{ from, to int }

// maxExcerpt is how many characters of a line are shown around a column.
const maxExcerpt = 120

// blank says whether there is nothing to show.
func (l *shownLine) blank() bool { return strings.TrimSpace(string(l.text)) == "" }

// hide marks characters as secret.
func (l *shownLine) hide(from, to int) {
	to = min(to, len(l.text))
	if from >= to {
		return
	}
	l.hidden = append(l.hidden, span{from, to})
	slices.SortFunc(l.hidden, func(a, b span) int { return a.from - b.from })
	merged := l.hidden[:1]
	for _, s := range l.hidden[1:] {
		if last := &merged[len(merged)-1]; s.from <= last.to {
			last.to = max(last.to, s.to)
		} else {
			merged = append(merged, s)
		}
	}
	l.hidden = merged
}

// excerpt returns two lines, each begun by a newline: the text and a caret
// under the column.
func (l *shownLine) excerpt(column int) string {
	text, at := l.redacted(column - 1)
	from := max(0, at-maxExcerpt/2)
	to := min(len(text), from+maxExcerpt)
	var line, caret strings.Builder
	line.WriteString("\n    ")
	caret.WriteString("\n    ")
	if from > 0 {
		line.WriteRune('…')
		caret.WriteByte(' ')
	}
	for i := from; i < max(to, at+1); i++ {
		r := ' '
		if i < len(text) {
			r = text[i]
			line.WriteRune(printable(r))
		}
		if i < at && r == '\t' {
			caret.WriteByte('\t')
		} else if i < at {
			caret.WriteByte(' ')
		}
	}
	if to < len(text) {
		line.WriteRune('…')
	}
	return strings.TrimRight(line.String(), " \t") + caret.String() + "^"
}

// redacted returns the text without its secrets, and where the character with
// that index went. One in a secret goes to its start.
func (l *shownLine) redacted(index int) (text []rune, at int) {
	index = min(max(index, 0), len(l.text))
	at, done := index, 0
	for _, s := range l.hidden {
		text = append(text, l.text[done:s.from]...)
		switch {
		case index >= s.to:
			at += len(streams.Redacted) - (s.to - s.from)
		case index >= s.from:
			at = len(text)
		}
		text = append(text, []rune(streams.Redacted)...)
		done = s.to
	}
	return append(text, l.text[done:]...), at
}

// printable replaces what could move a terminal's cursor.
func printable(r rune) rune {
	if r != '\t' && !unicode.IsPrint(r) {
		return unicode.ReplacementChar
	}
	return r
}
