package snapshot

import (
	"errors"
	"fmt"
	"testing"

	"github.com/millrace/millrace/streams/kafka"
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
			inLab(t, nil, func(l *lab) {
				l.ahead()
				r := l.reader()
				if err := r.load(); err != nil {
					t.Fatal(err)
				}
				if f := r.loaded.Filter; f.Len() != 2 || r.loaded.Position != 3 {
					t.Errorf("position %d, %d streams remembered", r.loaded.Position, f.Len())
				}
				tt.lack(r)
				r.follow()
				if got := r.wrong(); got != tt.wrong {
					t.Errorf("wrong is\n%swant\n%s", got, tt.wrong)
				}
			})
		})
	}
}

// A stream that has ended keeps its version. Where its record were removed, the
// stream would begin again with version 1.
func TestGoneStreamKeepsItsVersion(t *testing.T) {
	for _, kept := range []bool{true, false} {
		inLab(t, nil, func(l *lab) {
			l.happen("a", "a", "-a")
			l.flush()
			if !kept {
				l.put(kafka.OutRecord{Key: []byte("a")})
			}
			l.happen("a")
			r := l.reader()
			if err := r.load(); err != nil {
				t.Fatal(err)
			}
			r.follow()
			want := `a: version 1, gone false, "3," at 3, want version 4, gone false, "3," at 3` + "\n"
			if got := r.wrong(); kept != (got == "") || !kept && got != want {
				t.Errorf("kept %t: wrong is %s", kept, got)
			}
		})
	}
}

// A stream that was forgotten is not known any more, and the events that its
// state included are not applied to nothing.
func TestForgottenStreamStaysForgotten(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		l.ahead()
		l.put(kafka.OutRecord{Key: []byte("a")})
		r := l.reader()
		if err := r.load(); err != nil {
			t.Fatal(err)
		}
		r.follow()
		if got := text(r.states["a"]); got != `version 1, gone false, "6," at 6` {
			t.Errorf("a: %s", got)
		}
	})
}

// The filter forgets a stream when the position has passed what was included.
func TestFilterForgets(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		l.ahead()
		r := l.reader()
		if err := r.load(); err != nil {
			t.Fatal(err)
		}
		r.follow()
		if f := r.loaded.Filter; f.Len() != 0 || f.Dropped != 3 {
			t.Errorf("%d streams remembered, %d events dropped", f.Len(), f.Dropped)
		}
	})
}

// A compactor that was killed in a flush leaves many records behind the last
// watermark, which nobody reads. It is looked for before them, so that the filter
// remembers nothing that it covers.
func TestWatermarkBeforeManyAbortedRecordsIsFound(t *testing.T) {
	inLab(t, nil, func(l *lab) {
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
		if err := r.peek(l.t.Context(), r.topic.Partition(0), 0, l.kafka.LSO(snapshots)[0]); err != nil {
			t.Fatal(err)
		}
		if r.filter.watermark != 500 {
			t.Errorf("the last watermark is %d", r.filter.watermark)
		}
		l.reader().right()
	})
}

// A load that was interrupted goes on from a checkpoint. The filter does not know
// what was read before it: only a checkpoint that is covered is the end of it.
func TestInterruptedLoadGoesOnUntilItIsCovered(t *testing.T) {
	for _, covered := range []bool{true, false} {
		inLab(t, nil, func(l *lab) {
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
				t.Fatalf("load: %v", err)
			}
			r.each = func(*Record) error { return nil }
			if err := r.load(); err != nil || r.next.Covered() {
				t.Fatalf("%+v: %v", r.next, err)
			}
			if covered {
				l.flush()
				if err := r.load(); err != nil || !r.next.Covered() {
					t.Fatalf("%+v: %v", r.next, err)
				}
			}
			r.follow()
			if wrong := r.wrong(); covered != (wrong == "") {
				t.Errorf("covered %t: wrong is %s", covered, wrong)
			}
		})
	}
}
