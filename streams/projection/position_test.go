package projection

import (
	"testing"

	"github.com/millrace/millrace/streams/snapshot"
)

// positions are some, each before the next.
var positions = []string{"", "load:0:-:-", "load:7:-:6", "load:9:5:6", "load:10:0:-", "0", "9", "10"}

func TestPositionsHaveAnOrder(t *testing.T) {
	for i, a := range positions {
		for j, b := range positions {
			p, err := parsePosition(a)
			q, other := parsePosition(b)
			if err != nil || other != nil || p.before(q) != (i < j) || (p == q) != (i == j) {
				t.Errorf("%q is before %q: %v, %v, %v", a, b, p.before(q), err, other)
			}
		}
	}
	if loadingAt(snapshot.Beginning).String() != positions[1] {
		t.Errorf("a load begins at %s", loadingAt(snapshot.Beginning))
	}
}

// FuzzPosition: what is read is written in the same way, because scripts compare
// texts.
func FuzzPosition(f *testing.F) {
	for _, s := range append(positions, "-1", "007", "load:", "load:0:0:0", "load:1:2", "load:1:2:3:4", "load:-1:-:-", "load:1:+2:3", "load:1:-1:-1", "load:x:1:1") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePosition(s)
		switch {
		case err != nil:
		case p.String() != s:
			t.Errorf("%q is written as %q", s, p)
		case p.Loading() == (p.Offset >= 0) && s != "":
			t.Errorf("%q is %+v", s, p)
		}
	})
}
