package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/millrace/millrace/streams/state"
)

// reader is whoever loads snapshots and goes on with events.
type reader struct {
	lab    *lab
	topic  *Topic
	states map[string]state.Entry
	next   Checkpoint
	loaded Loaded
	// each is called after each record; an error of it ends the load.
	each func(*Record) error
	// unfiltered has it apply every event behind the watermark.
	unfiltered bool
}

func (l *lab) reader() *reader {
	return &reader{lab: l, topic: l.open(), states: map[string]state.Entry{}, next: Beginning, each: func(*Record) error { return nil }}
}

// load loads from where the reader is.
func (r *reader) load() (err error) {
	from := r.next
	r.loaded, err = Resync(r.lab.t.Context(), r.topic, Options{From: &from, Digest: digest}, func(s *Record) error {
		switch {
		case s.Forgotten:
			delete(r.states, string(s.Stream))
		case s.Watermark == nil:
			r.states[string(s.Stream)] = s.Entry
		}
		r.next.Advance(s)
		return r.each(s)
	})
	if err == nil {
		r.next = r.loaded.Checkpoint
	}
	return err
}

// follow applies the events behind the watermark.
func (r *reader) follow() {
	r.lab.t.Helper()
	for _, e := range r.lab.kafka.Read(r.lab.source) {
		if e.Offset < r.loaded.Position || r.loaded.Filter.Includes(e.Key, e.Offset) && !r.unfiltered {
			continue
		}
		r.states[string(e.Key)] = fold(r.states[string(e.Key)], e)
	}
}

// wrong says in what the reader differs from the fold of all events; it is empty
// where it has all.
func (r *reader) wrong() string {
	want := r.lab.want()
	var b bytes.Buffer
	for _, stream := range slices.Sorted(maps.Keys(want)) {
		w, is := want[stream], r.states[stream]
		if w.Version != is.Version || w.Gone != is.Gone || !bytes.Equal(w.Value, is.Value) {
			fmt.Fprintf(&b, "%s: %s, want %s\n", stream, text(is), text(w))
		}
	}
	if len(r.states) > len(want) {
		fmt.Fprintf(&b, "%d streams, want %d\n", len(r.states), len(want))
	}
	return b.String()
}

func text(e state.Entry) string {
	return fmt.Sprintf("version %d, gone %t, %q at %d", e.Version, e.Gone, e.Value, e.Offset)
}

// right loads, follows, and compares.
func (r *reader) right() {
	r.lab.t.Helper()
	if err := r.load(); err != nil {
		r.lab.t.Fatal(err)
	}
	r.follow()
	if wrong := r.wrong(); wrong != "" {
		r.lab.t.Error(wrong)
	}
}

// refused loads and expects an error of snapshots that cannot be used, with
// these words, in which the source has its name in this process.
func (r *reader) refused(words ...string) {
	r.lab.t.Helper()
	err := r.load()
	if !errors.Is(err, ErrUnusable) {
		r.lab.t.Fatalf("the load was not refused: %v", err)
	}
	for _, w := range words {
		w = strings.ReplaceAll(w, source, r.lab.source)
		if !strings.Contains(err.Error(), w) {
			r.lab.t.Errorf("%q does not say %q", err, w)
		}
	}
}
