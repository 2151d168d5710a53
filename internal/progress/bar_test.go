package progress

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// screen is a terminal as far as bars need one: it knows lines, cursor and the
// two ways to clear.
type screen struct {
	lines []string
	row   int
}

func (s *screen) Write(p []byte) (int, error) {
	text := string(p)
	for text != "" {
		switch {
		case strings.HasPrefix(text, clearLine):
			text = text[len(clearLine):]
		case strings.HasPrefix(text, clearDown):
			s.lines = s.lines[:s.row]
			text = text[len(clearDown):]
		case strings.HasPrefix(text, "\r\x1b["):
			up, rest, _ := strings.Cut(text[len("\r\x1b["):], "A")
			s.row -= int(up[0] - '0')
			text = rest
		default:
			line, rest, _ := strings.Cut(text, "\n")
			for len(s.lines) <= s.row {
				s.lines = append(s.lines, "")
			}
			s.lines[s.row] = strings.TrimSuffix(line, clearLine)
			s.row++
			text = rest
		}
	}
	return len(p), nil
}

func (s *screen) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := strings.Join(s.lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the terminal shows\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func onTerminal(s *screen, width int) *Display {
	return &Display{out: s, width: func() int { return width }}
}

func TestBarsAreDrawnOverThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s screen
		d := onTerminal(&s, 80)
		for done := range int64(101) {
			d.Set("order", done, 100, "now")
			d.Set("revenue-by-day", done/2, 100, "later")
			time.Sleep(drawPause)
		}
		d.Set("order", 0, 100, "again")
		d.Close()
		s.expect(t,
			"order          100% [==============================] now",
			"revenue-by-day  50% [===============               ] later",
		)
	})
}

func TestLogLinesStandAboveTheBars(t *testing.T) {
	var s screen
	d := onTerminal(&s, 80)
	d.Set("a", 1, 2, "")
	if _, err := d.Write([]byte("first\n")); err != nil {
		t.Fatal(err)
	}
	d.Set("b", 2, 2, "")
	if _, err := d.Write([]byte("second\nthird\n")); err != nil {
		t.Fatal(err)
	}
	d.Close()
	if _, err := d.Write([]byte("below\n")); err != nil {
		t.Fatal(err)
	}
	d.Set("a", 2, 2, "nobody sees it")
	s.expect(t, "first", "second", "third",
		"a  50% [===============               ] ",
		"b 100% [==============================] ",
		"below")
}

func TestBarsFitTheTerminal(t *testing.T) {
	for _, width := range []int{1, 2, 20, 38, 39, 40, 200} {
		var s screen
		d := onTerminal(&s, width)
		d.Set("ä", 5, 10, strings.Repeat("ö", 100))
		if n := len([]rune(s.lines[0])); n >= width {
			t.Errorf("%d characters on a terminal of %d", n, width)
		}
	}
}

func TestBarsDoNotFlicker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		d := &Display{out: &out, width: func() int { return 80 }}
		for done := range int64(1000) {
			d.Set("a", done, 1000, "")
			time.Sleep(time.Millisecond)
		}
		if n := strings.Count(out.String(), "\n"); n > 11 {
			t.Errorf("drawn %d times in a second", n)
		}
	})
}

func TestUnknownTotalHasNoBar(t *testing.T) {
	var s screen
	d := onTerminal(&s, 80)
	d.Set("import", 100, 0, "7 lines")
	s.expect(t, "import  ... [                              ] 7 lines")
}

func TestClearTakesBarsAway(t *testing.T) {
	var s screen
	d := onTerminal(&s, 80)
	d.Set("a", 1, 2, "")
	d.Set("b", 2, 2, "")
	d.Clear()
	d.Set("c", 2, 2, "")
	d.Clear()
	s.expect(t)
}
