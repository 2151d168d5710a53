package snapshot

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/state"
)

// ahead writes snapshots that include events behind their watermark, as one does
// who writes both on their own: of a it is the second event, of b the third, with
// which b ended.
func (l *lab) ahead() {
	l.happen("a", "b", "c")
	l.flush()
	l.happen("b", "a", "-b")
	l.fold()
	l.put(l.pending()...)
	l.happen("a", "c")
}

// The events that a snapshot includes are dropped, also those of streams that have
// ended. A reader that applies them has them twice, or has a stream back.
func TestIncludedEventsAreDropped(t *testing.T) {
	for name, tt := range map[string]struct {
		lack  func(*reader)
		wrong string
	}{
		"defended": {func(*reader) {}, ""},
		"no filter": {func(r *reader) { r.unfiltered = true }, "" +
			`a: version 4, gone false, "0,4,4,6," at 6, want version 3, gone false, "0,4,6," at 6` + "\n" +
			`b: version 5, gone true, "" at 5, want version 3, gone true, "" at 5` + "\n"},
		"gone streams are not remembered": {func(r *reader) { delete(r.loaded.Filter.streams, "b") },
			`b: version 5, gone true, "" at 5, want version 3, gone true, "" at 5` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			onGrounds(t, func(l *lab) {
				l.ahead()
				r := l.reader()
				if err := r.load(); err != nil {
					l.t.Fatal(err)
				}
				if f := r.loaded.Filter; f.Len() != 2 || r.loaded.Position != 3 {
					l.t.Errorf("position %d, %d streams remembered", r.loaded.Position, f.Len())
				}
				tt.lack(r)
				r.follow()
				if got := r.wrong(); got != tt.wrong {
					l.t.Errorf("wrong is\n%swant\n%s", got, tt.wrong)
				}
			})
		})
	}
}

// Somebody was ahead of his watermark, and another one folds all events anew. Of a
// stream the last snapshot counts, also where it includes less than one before.
func TestSnapshotThatGoesBackCounts(t *testing.T) {
	bothWays(t, func(l *lab, last bool) {
		l.happen("a", "b", "a")
		l.fold()
		l.put(l.pending()...)
		l.anew(1)
		r := l.reader()
		if err := r.load(); err != nil {
			l.t.Fatal(err)
		}
		if !last {
			r.loaded.Filter.streams["a"] = 2
		}
		r.follow()
		want := `a: version 1, gone false, "0," at 0, want version 2, gone false, "0,2," at 2` + "\n"
		if got := r.wrong(); last != (got == "") || !last && got != want {
			l.t.Errorf("wrong is %s", got)
		}
	})
}

// A stream that has ended keeps its version. Where its record were removed, the
// stream would begin again with version 1.
func TestGoneStreamKeepsItsVersion(t *testing.T) {
	bothWays(t, func(l *lab, kept bool) {
		l.happen("a", "a", "-a")
		l.flush()
		if !kept {
			l.put(kafka.OutRecord{Key: []byte("a")})
		}
		l.happen("a")
		r := l.reader()
		if err := r.load(); err != nil {
			l.t.Fatal(err)
		}
		r.follow()
		want := `a: version 1, gone false, "3," at 3, want version 4, gone false, "3," at 3` + "\n"
		if got := r.wrong(); kept != (got == "") || !kept && got != want {
			l.t.Errorf("kept %t: wrong is %s", kept, got)
		}
	})
}

// A stream that was forgotten is not known any more, and the events that its
// state included are not applied to nothing.
func TestForgottenStreamStaysForgotten(t *testing.T) {
	bothWays(t, func(l *lab, filtered bool) {
		l.put(l.watermark(0))
		l.happen("a", "a")
		l.fold()
		l.put(l.pending()...)
		l.put(kafka.OutRecord{Key: []byte("a")})
		l.happen("a")
		r := l.reader()
		r.unfiltered = !filtered
		if err := r.load(); err != nil {
			l.t.Fatal(err)
		}
		r.follow()
		want := `version 1, gone false, "2," at 2`
		if !filtered {
			want = `version 3, gone false, "0,1,2," at 2`
		}
		if got := text(r.states["a"]); got != want {
			l.t.Errorf("a: %s, want %s", got, want)
		}
	})
}

// The filter forgets a stream when the position has passed what was included.
func TestFilterForgets(t *testing.T) {
	onGrounds(t, func(l *lab) {
		l.ahead()
		r := l.reader()
		if err := r.load(); err != nil {
			l.t.Fatal(err)
		}
		r.follow()
		if f := r.loaded.Filter; f.Len() != 0 || f.Dropped != 3 {
			l.t.Errorf("%d streams remembered, %d events dropped", f.Len(), f.Dropped)
		}
	})
}

// A compactor that was killed in a flush leaves many records behind the last
// watermark, which nobody reads. It is looked for before them, so that the filter
// remembers nothing that it covers.
func TestWatermarkBeforeManyAbortedRecordsIsFound(t *testing.T) {
	onGrounds(t, func(l *lab) {
		names := make([]string, 500)
		for i := range names {
			names[i] = fmt.Sprintf("order-%d", i)
		}
		l.happen(names...)
		l.flush()
		l.happen(names...)
		l.fold()
		l.begin(l.pending()...).Abort()
		r := &resync{topic: l.open(), filter: newFilter()}
		if err := r.peek(l.t.Context(), r.topic.Partition(0), 0, l.kafka.LSO(l.snapshots)[0]); err != nil {
			l.t.Fatal(err)
		}
		if r.filter.watermark != 500 {
			l.t.Errorf("the last watermark is %d", r.filter.watermark)
		}
		l.reader().right()
	})
}

// A load that was interrupted goes on from a checkpoint. The filter does not know
// what was read before it: only a checkpoint that is covered is the end of it.
func TestInterruptedLoadGoesOnUntilItIsCovered(t *testing.T) {
	bothWays(t, func(l *lab, covered bool) {
		l.ahead()
		r := l.reader()
		crash := errors.New("crash")
		r.each = func(s *Record) error {
			if string(s.Stream) == "b" && s.Gone {
				return crash
			}
			return nil
		}
		if err := r.load(); err != crash {
			l.t.Fatalf("load: %v", err)
		}
		r.each = func(*Record) error { return nil }
		if err := r.load(); err != nil || r.next.Covered() {
			l.t.Fatalf("%+v: %v", r.next, err)
		}
		if covered {
			l.flush()
			if err := r.load(); err != nil || !r.next.Covered() {
				l.t.Fatalf("%+v: %v", r.next, err)
			}
		}
		r.follow()
		if wrong := r.wrong(); covered != (wrong == "") {
			l.t.Errorf("covered %t: wrong is %s", covered, wrong)
		}
	})
}

// What says that a stream was forgotten is removed after delete.retention.ms. A
// load that takes longer may not hear of it, and ends; one that does not know has
// the stream for ever.
func TestLoadThatMayHaveMissedThatAStreamWasForgottenEnds(t *testing.T) {
	for _, knows := range []bool{true, false} {
		inLab(t, map[string]string{"min.compaction.lag.ms": "0", "delete.retention.ms": "60000"}, func(l *lab) {
			l.fetchOneBatch()
			l.happen("rests") // the log begins with it for ever
			l.flush()
			for _, name := range []string{"a", "b", "b"} {
				l.happen(name)
				l.flush()
			}
			r := l.reader()
			if !knows {
				r.topic.DeleteRetention = 24 * time.Hour
			}
			r.each = func(s *Record) error {
				if string(s.Stream) == "a" {
					l.put(kafka.OutRecord{Key: []byte("a")})
					l.put(l.watermark(l.position))
					time.Sleep(2 * time.Minute)
					l.compact()
				}
				return nil
			}
			err := r.load()
			if _, back := r.states["a"]; knows != (err != nil) || !back {
				t.Errorf("knows %t: %v, it came back: %t", knows, err, back)
			}
		})
	}
}

// The event at the watermark is behind it.
func TestFilterRemembersWhatIsAtTheWatermark(t *testing.T) {
	f := newFilter()
	for offset, stream := range []string{"before", "at", "behind"} {
		f.note(&Record{Stream: []byte(stream), Entry: state.Entry{Offset: int64(offset)}})
	}
	f.keep(1)
	if f.Includes([]byte("before"), 0) || !f.Includes([]byte("at"), 1) || !f.Includes([]byte("behind"), 2) || f.Includes([]byte("behind"), 3) {
		t.Errorf("%+v", f)
	}
}
