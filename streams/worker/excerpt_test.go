package worker

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/streams"
)

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("a", 200) + "X" + strings.Repeat("b", 200)
	for _, c := range []struct {
		text   string
		column int
		want   string
	}{
		{"", 1, "\n\n    ^"},
		{"a", 9, "\n    a\n     ^"},
		{"a", -3, "\n    a\n    ^"},
		{"\ta\tb", 4, "\n    \ta\tb\n    \t \t^"},
		{"ä\x1b[31mb", 7, "\n    ä�[31mb\n          ^"},
		{long, 201, "\n    …" + long[140:260] + "…\n     " + strings.Repeat(" ", 60) + "^"},
	} {
		line := shownLine{text: []rune(c.text)}
		if got := line.excerpt(c.column); got != c.want {
			t.Errorf("%q at %d:%s\nwant:%s", c.text, c.column, got, c.want)
		}
	}
}

func TestExcerptOfSecrets(t *testing.T) {
	line := shownLine{text: []rune("a: secret, b: hidden, c")}
	line.hide(14, 20)
	line.hide(5, 9)
	line.hide(3, 6)
	line.hide(20, 20)
	for column, want := range map[int]int{1: 0, 4: 3, 6: 3, 9: 3, 10: 13, 12: 15, 15: 18, 20: 18, 21: 28, 23: 30} {
		text, at := line.redacted(column - 1)
		if string(text) != "a: [REDACTED], b: [REDACTED], c" || at != want {
			t.Errorf("column %d: %q at %d, want %d", column, string(text), at, want)
		}
	}
}

func TestManyProblems(t *testing.T) {
	f := &File{Name: "f", src: []byte("a")}
	for i := range 150 {
		f.Add(streams.Problem{Line: 150 - i, Column: 1, Message: "m"}, streams.Problem{Line: 150 - i, Column: 1, Message: "m"})
	}
	text := f.Err().Error()
	if !strings.HasPrefix(text, "f:1:1: m\n    a\n    ^\nf:2:1: m\n") || !strings.HasSuffix(text, "\nf:100:1: m\nf: 50 more") {
		t.Error(text)
	}
}
