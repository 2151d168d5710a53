package snapshot

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/state"
)

// What cannot be gone on from is refused, and the reason is told.
func TestUnusableSnapshotsAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		history func(l *lab)
		words   string
	}{
		"no watermark":                 {func(l *lab) { l.happen("a"); l.fold(); l.put(l.pending()...) }, "no watermark"},
		"events deleted behind it":     {func(l *lab) { l.happen("a"); l.flush(); l.happen("b", "b"); l.forget(2) }, "reach to offset 1 of orders/0, which begins at 2 (retention.ms is -1)"},
		"events deleted, no snapshots": {func(l *lab) { l.happen("a", "b"); l.forget(1) }, "reach to offset 0 of orders/0, which begins at 1"},
		"events lost before it":        {func(l *lab) { l.happen("a"); l.put(l.watermark(7)) }, "offset 7 of orders/0, whose LSO is 1"},
		"an event lost before it": {func(l *lab) {
			l.happen("a")
			l.put(Encode([]byte("a"), state.Entry{Offset: 6, Version: 2, Value: []byte("0,6,")}), l.watermark(1))
		}, "offset 7 of orders/0, whose LSO is 1"},
		"of another topic":     {mark(func(w *Watermark) { w.Topic = "other" }), "about other/0, not orders/0"},
		"of another partition": {mark(func(w *Watermark) { w.Partition, w.Partitions = 1, 2 }), "about orders/1, not orders/0"},
		"of a topic made anew": {mark(func(w *Watermark) { w.TopicID = "before" }), "made anew"},
		"of other partitions":  {mark(func(w *Watermark) { w.Partitions = 3 }), "before it had 3: its streams have moved"},
		"of another fold":      {mark(func(w *Watermark) { w.Digest = "d2" }), "raise version"},
		"of two folds": {func(l *lab) {
			l.happen("a")
			l.flush()
			mark(func(w *Watermark) { w.Digest = "d2" })(l)
		}, "folded by rules of digest d2, and those that are expected have d1"},
		"of two that do not fence each other": {func(l *lab) {
			l.happen("a", "b")
			l.flush()
			l.put(l.watermark(1))
		}, "goes back from 2 to 1"},
	} {
		t.Run(name, func(t *testing.T) {
			onGrounds(t, func(l *lab) {
				tt.history(l)
				l.reader().refused(tt.words)
				r := l.reader()
				r.next = Checkpoint{} // has read nothing, as well
				r.refused(tt.words)
			})
		})
	}
}

// The last watermark is looked up, then a lower one is written and the cleaner
// removes the first: what is between them is in snapshots, and nobody remembers.
func TestWatermarkThatGoesBackWithinALoadIsRefused(t *testing.T) {
	inLab(t, impatient, func(l *lab) {
		l.fetchOneBatch()
		l.happen("rests") // the log begins with it for ever
		l.flush()
		l.happen("a", "b")
		l.flush()
		r := l.reader()
		r.each = func(s *Record) error {
			if string(s.Stream) == "rests" {
				l.put(l.watermark(1))
				l.put(l.watermark(1))
				l.compact()
			}
			return nil
		}
		r.refused("goes back from 3 to 1")
		if r.next.Watermark != 1 {
			t.Errorf("it has read the watermark %d", r.next.Watermark)
		}
	})
}

// forget deletes the events before an offset.
func (l *lab) forget(before int64) {
	l.t.Helper()
	to := kadm.Offsets{}
	to.AddOffset(l.source, 0, before, -1)
	if _, err := l.kafka.Admin().DeleteRecords(l.t.Context(), to); err != nil {
		l.t.Fatal(err)
	}
}

// mark writes a watermark that was changed.
func mark(change func(*Watermark)) func(*lab) {
	return func(l *lab) {
		w := &Watermark{Topic: l.source, TopicID: l.topicID(l.source), Partitions: 1, Digest: digest}
		change(w)
		l.put(l.encoded(w))
	}
}

// What begins a load without snapshots is no reason to refuse it.
func TestEmptySnapshotTopicIsTheBeginning(t *testing.T) {
	for name, history := range map[string]func(l *lab){
		"only created":     func(*lab) {},
		"only aborted":     func(l *lab) { l.begin(l.watermark(0)).Abort() },
		"only a watermark": func(l *lab) { l.put(l.watermark(0)) },
		"no topic IDs":     mark(func(w *Watermark) { w.TopicID = "" }),
	} {
		t.Run(name, func(t *testing.T) {
			onGrounds(t, func(l *lab) {
				history(l)
				l.happen("a", "b", "a")
				l.reader().right()
			})
		})
	}
}

// The digest is all that tells the states of two folds apart: where both say
// that they are the same, a reader has some of each.
func TestDigestKeepsFoldsApart(t *testing.T) {
	bothWays(t, func(l *lab, told bool) {
		l.happen("a", "b")
		l.flush()
		l.happen("a")
		l.fold()
		other := l.states["a"]
		other.Value = []byte("what other rules make of it")
		l.put(Encode([]byte("a"), other))
		mark(func(w *Watermark) {
			w.Next = l.position
			if told {
				w.Digest = "d2"
			}
		})(l)
		r := l.reader()
		if told {
			r.refused("raise version")
			return
		}
		if err := r.load(); err != nil {
			l.t.Fatal(err)
		}
		if r.wrong() == "" {
			l.t.Error("the states are of one fold")
		}
	})
}

// The topic, or its source, is made anew between two questions of a load: the
// records that were read are of another one than those that follow.
func TestTopicMadeAnewWithinALoadIsRefused(t *testing.T) {
	for name, topic := range map[string]string{"snapshots": snapshots, "source": source} {
		t.Run(name, func(t *testing.T) {
			inLab(t, nil, func(l *lab) {
				l.happen("a", "b")
				l.flush()
				r := l.reader()
				passes := 0
				r.topic.missedNothing = func(kafka.Pass) bool { passes++; return passes == 2 }
				r.each = func(s *Record) error {
					if s.Watermark == nil {
						return nil
					}
					if _, err := l.kafka.Admin().DeleteTopic(l.t.Context(), topic); err != nil {
						return err
					}
					if topic == source {
						l.kafka.CreateTopic(source, 1, nil)
						return nil
					}
					l.create(nil)
					l.put(l.watermark(1), l.watermark(1), l.watermark(1), l.watermark(1))
					return nil
				}
				r.refused(topic, "its ID is")
			})
		})
	}
}

func TestOpenRefusesWhatDoesNotBelongTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		settings map[string]string
		topic    string
		want     error
		words    string
	}{
		"deleted by time":  {map[string]string{"cleanup.policy": "compact,delete"}, snapshots, ErrUnusable, "cleanup.policy compact,delete"},
		"no topic":         {nil, "nobody", kafka.ErrNoTopic, "nobody"},
		"other partitions": {nil, "three", ErrUnusable, "has 3 partitions, its source orders has 1"},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, tt.settings, func(l *lab) {
				l.kafka.CreateTopic("three", 3, nil)
				_, err := Open(l.t.Context(), l.config(), source, tt.topic)
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.words) {
					t.Errorf("Open: %v", err)
				}
			})
		})
	}
}

// What is no snapshot ends a load at its place, and so does an error of whoever
// takes the records.
func TestLoadEndsAtTheFirstError(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		l.happen("a")
		l.flush()
		l.put(kafka.OutRecord{Key: []byte("x"), Value: []byte("no snapshot")})
		r := l.reader()
		var at *streams.RecordError
		if err := r.load(); !errors.As(err, &at) || at.Topic != snapshots || at.Offset != 3 || len(r.states) != 1 {
			t.Errorf("load: %v, with %d states", err, len(r.states))
		}
		boom := errors.New("boom")
		r = l.reader()
		r.each = func(*Record) error { return boom }
		if err := r.load(); err != boom || len(r.states) != 1 {
			t.Errorf("load: %v, with %d states", err, len(r.states))
		}
	})
}

// Why a topic cannot be created is told, and not that it is not there.
func TestEnsureTopicSaysWhyItCannotCreate(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		admin, err := kafka.NewAdmin(l.config())
		if err != nil {
			t.Fatal(err)
		}
		defer admin.Close()
		if warnings, err := EnsureTopic(l.t.Context(), admin, snapshots, 1); err != nil || len(warnings) > 0 {
			t.Errorf("EnsureTopic: %q, %v", warnings, err)
		}
		if _, err := EnsureTopic(l.t.Context(), admin, snapshots, 2); !errors.Is(err, ErrUnusable) {
			t.Errorf("EnsureTopic: %v", err)
		}
		l.kafka.Server().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.TopicAuthorizationFailed, Count: -1})
		if _, err := EnsureTopic(l.t.Context(), admin, "new", 1); !errors.Is(err, kerr.TopicAuthorizationFailed) {
			t.Errorf("EnsureTopic: %v", err)
		}
	})
}

func TestEnsureTopicNamesWhatIsSetOtherwise(t *testing.T) {
	changes := map[string]string{"min.compaction.lag.ms": "0", "message.timestamp.type": "CreateTime"}
	inLab(t, changes, func(l *lab) {
		admin, err := kafka.NewAdmin(l.config())
		if err != nil {
			t.Fatal(err)
		}
		defer admin.Close()
		warnings, err := EnsureTopic(l.t.Context(), admin, snapshots, 1)
		if err != nil || len(warnings) != 2 || !strings.Contains(warnings[0], "LogAppendTime") || !strings.Contains(warnings[1], "min.compaction.lag.ms 0 instead of 600000") {
			t.Errorf("EnsureTopic: %q, %v", warnings, err)
		}
	})
}
