package snapshot

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams/streamstest"
)

// act is one thing that happens to the source or its snapshots.
type act struct {
	kind string
	n    int
}

var genAct = rapid.Custom(func(t *rapid.T) act {
	return act{
		rapid.SampledFrom([]string{"happen", "happen", "end", "flush", "flush", "abort", "apart", "ahead", "anew", "hold", "compact", "replace", "replace"}).Draw(t, "kind"),
		rapid.IntRange(0, 9).Draw(t, "n"),
	}
})

// history is what happens before a load and, by the number of the record, within
// it, and after which records the reader crashes.
type history struct {
	before  []act
	within  map[int]act
	crashes map[int]bool
}

var genHistory = rapid.Custom(func(t *rapid.T) history {
	return history{
		rapid.SliceOfN(genAct, 1, 15).Draw(t, "before"),
		rapid.MapOfN(rapid.IntRange(1, 25), genAct, 0, 8).Draw(t, "within"),
		rapid.MapOfN(rapid.IntRange(1, 25), rapid.Just(true), 0, 2).Draw(t, "crashes"),
	}
})

// Whoever writes, in transactions or not, the watermark with the snapshots or
// later, and whatever the cleaner removes meanwhile: a reader that loads, at any
// time, and applies the events that the filter leaves, has the fold of all.
func TestReaderHasTheFoldWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := genHistory.Draw(rt, "history")
		var problem string
		synctest.Test(t, func(t *testing.T) { problem = play(newLab(t, impatient), h) })
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

// play plays a history, and says in what the reader is wrong.
func play(l *lab, h history) string {
	p := &player{lab: l}
	l.fetchOneBatch()
	l.happen("rests") // the log begins with it for ever
	l.flush()
	for _, a := range h.before {
		p.do(a)
	}
	r := l.reader()
	crash, seen := errors.New("crash"), 0
	r.each = func(*Record) error {
		seen++
		if a, ok := h.within[seen]; ok {
			p.do(a)
		}
		if h.crashes[seen] {
			return crash
		}
		return nil
	}
	err := r.load()
	interrupted := err == crash
	for err == crash || err == nil && interrupted && !r.next.Covered() {
		if err == nil {
			p.end()
			l.flush()
		}
		err = r.load()
	}
	if err != nil {
		return err.Error()
	}
	p.end()
	r.follow()
	return r.wrong()
}

// player lets things happen.
type player struct {
	*lab
	held *streamstest.Txn
	kept bool // by what the held transaction ends
}

func (p *player) do(a act) {
	stream := fmt.Sprintf("order-%d", a.n/2)
	if a.kind != "happen" && a.kind != "end" {
		p.end()
	}
	switch a.kind {
	case "happen":
		p.happen(stream)
	case "end":
		p.happen("-" + stream)
	case "flush":
		p.flush()
	case "abort":
		p.fold()
		p.begin(append(p.pending(), p.watermark(p.position))...).Abort()
	case "apart": // as one does that has no transactions
		p.fold()
		for _, r := range p.pending() {
			p.put(r)
		}
		p.put(p.watermark(p.position))
		clear(p.changed)
	case "ahead": // and is slow with the watermark
		before := p.position
		p.fold()
		p.put(p.pending()...)
		clear(p.changed)
		if a.n%2 == 0 {
			p.put(p.watermark(before))
		}
	case "anew":
		p.anew(p.marked + (p.kafka.LSO(p.source)[0]-p.marked)*int64(a.n)/9)
	case "hold":
		p.fold()
		p.held, p.kept = p.begin(append(p.pending(), p.watermark(p.position))...), a.n%2 == 0
	case "compact":
		p.compact()
	case "replace": // the watermark is in the last batch, which the cleaner leaves alone
		p.happen(stream)
		p.do(act{"apart", a.n})
		p.compact()
	}
}

// end ends the transaction that is held, be it aborted.
func (p *player) end() {
	switch {
	case p.held == nil:
	case p.kept:
		p.held.Commit()
		clear(p.changed)
	default:
		p.held.Abort()
	}
	p.held = nil
}
