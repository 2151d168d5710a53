package progress

import (
	"bytes"
	"strings"
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
		want := "fine: 0% eta 1s\nfine: 50% eta 1s\nfine: 100% eta 1s\n"
		if out.String() != want {
			t.Errorf("got:\n%swant:\n%s", out.String(), want)
		}
	})
}

func TestUnknownTotalHasNoPercentage(t *testing.T) {
	var out bytes.Buffer
	New(&out).Set("load", 5, 0, "5 records")
	if !strings.Contains(out.String(), "load: ... 5 records") {
		t.Error(out.String())
	}
}
