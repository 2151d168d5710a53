package progress

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

func TestLinesAreRareAndTheLastIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		d := New(&out)
		for done := range int64(101) {
			d.Set("fine", done, 100, "eta 1s")
			time.Sleep(100 * time.Millisecond)
		}
		d.Set("fine", 100, 100, "again")
		d.Close()
		want := "fine: 50% eta 1s\nfine: 100% eta 1s\n"
		if out.String() != want {
			t.Errorf("got:\n%swant:\n%s", out.String(), want)
		}
	})
}

func TestUnknownTotalHasNoPercentage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		d := New(&out)
		d.Set("load", 0, 0, "nothing")
		time.Sleep(linePause)
		d.Set("load", 5, 0, "5 records")
		if out.String() != "load: ... 5 records\n" {
			t.Error(out.String())
		}
	})
}

// TestNothingIsSaidTwice: work that stands still leaves a log alone.
func TestNothingIsSaidTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		d := New(&out)
		for range 100 {
			d.Set("fine", 3, 10, "stopped:\na bad record")
			time.Sleep(time.Second)
		}
		if want := "fine: 30% stopped: a bad record\n"; out.String() != want {
			t.Errorf("got:\n%swant:\n%s", out.String(), want)
		}
	})
}
