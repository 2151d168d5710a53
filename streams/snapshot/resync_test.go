package snapshot

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/streamstest"
)

func TestReaderHasTheFoldOfAllEvents(t *testing.T) {
	inLab(t, nil, func(l *lab) {
		l.happen("a", "b", "c", "a", "-b")
		l.flush()
		l.happen("b", "c", "d")
		r := l.reader()
		r.right()
		if got := r.loaded; got.Position != 5 || got.Snapshots != 3 || got.Gone != 1 || got.Passes != 1 || got.Filter.Len() != 0 || got.Digest != digest {
			l.t.Errorf("%+v", got)
		}
	})
}

// Snapshots are replaced while a reader reads, and the cleaner removes what he has
// not read. He trusts the pass if nothing of it is missing, or if it was quick and
// no transaction was open; without one of these he misses streams.
func TestPassThatMissedRecordsIsFollowedByAnother(t *testing.T) {
	for name, tt := range map[string]struct {
		settings map[string]string
		open     bool          // the new snapshots are written before the load, and committed within
		slow     time.Duration // how long the pass takes
		careless func(kafka.Pass) bool
	}{
		"single pass":                {impatient, false, 0, func(kafka.Pass) bool { return true }},
		"slow, whatever it takes":    {nil, false, 6 * time.Minute, func(p kafka.Pass) bool { return p.Whole() || p.Settled }},
		"open, whatever was open":    {nil, true, 0, func(p kafka.Pass) bool { return p.Whole() || p.Took < 5*time.Minute }},
		"time that producers tell":   {map[string]string{"message.timestamp.type": "CreateTime"}, false, 0, missedNothing(5 * time.Minute)},
		"holes at the end of a pass": {impatient, false, 0, func(p kafka.Pass) bool { return p.Delivered > 0 }},
	} {
		for _, defended := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%t", name, defended), func(t *testing.T) {
				inLab(t, tt.settings, func(l *lab) {
					replace := l.replacing(tt.open)
					r := l.reader()
					if !defended {
						r.topic.missedNothing = tt.careless
					}
					seen := 0
					r.each = func(*Record) error {
						if seen++; seen == 3 {
							time.Sleep(tt.slow)
							replace()
						}
						return nil
					}
					if err := r.load(); err != nil {
						t.Fatal(err)
					}
					r.follow()
					if wrong := r.wrong(); (wrong == "") != defended || defended != (r.loaded.Passes > 1) {
						t.Errorf("after %d passes: %s", r.loaded.Passes, wrong)
					}
				})
			})
		}
	}
}

// The topic was open when somebody shortened the time in which nothing is removed,
// and a pass that was quick is not whole any more.
func TestTimeThatWasShortenedIsNotTrusted(t *testing.T) {
	for _, asked := range []bool{true, false} {
		inLab(t, nil, func(l *lab) {
			replace := l.replacing(false)
			r := l.reader()
			if !asked {
				r.topic.window = 0
			}
			none := "0"
			if _, err := l.kafka.Admin().AlterTopicConfigs(l.t.Context(), []kadm.AlterConfig{{Name: "min.compaction.lag.ms", Value: &none}}, l.snapshots); err != nil {
				l.t.Fatal(err)
			}
			r.each = func(s *Record) error {
				if string(s.Stream) == "a" {
					replace()
					replace = func() {}
				}
				return nil
			}
			if err := r.load(); err != nil {
				l.t.Fatal(err)
			}
			r.follow()
			if wrong := r.wrong(); (wrong == "") != asked || asked != (r.loaded.Passes > 1) {
				l.t.Errorf("asked %t: after %d passes: %s", asked, r.loaded.Passes, wrong)
			}
		})
	}
}

// replacing writes snapshots one by one, and returns what replaces them and has
// the cleaner remove them: new ones, which may be written at once in a transaction
// that is open until then. The new watermark is in the last batch, which the
// cleaner leaves alone, so that the old one stays.
func (l *lab) replacing(open bool) (replace func()) {
	l.fetchOneBatch()
	names := []string{"a", "b", "c", "d", "e", "f"}
	l.happen("rests") // the log begins with it for ever
	l.flush()
	for _, name := range names {
		l.happen(name)
		l.flush()
	}
	write := func() *streamstest.Txn {
		l.happen(names...)
		l.fold()
		return l.begin(l.pending()...)
	}
	var txn *streamstest.Txn
	if open {
		txn = write()
	}
	return func() {
		if txn == nil {
			txn = write()
		}
		txn.Commit()
		l.put(l.watermark(l.position))
		l.compact()
	}
}

// Neither holes nor time alone make a pass whole.
func TestWhatMakesAPassWhole(t *testing.T) {
	whole := kafka.Pass{From: 10, End: 20, Next: 20, Delivered: 10, Took: time.Hour}
	holes := whole
	holes.Delivered--
	quick := holes
	quick.Settled, quick.Took = true, time.Minute
	open := quick
	open.Settled = false
	slow := quick
	slow.Took = 5 * time.Minute
	design := map[string]string{"min.compaction.lag.ms": "600000", "delete.retention.ms": "86400000", "message.timestamp.type": "LogAppendTime"}
	for name, tt := range map[string]struct {
		pass   kafka.Pass
		change map[string]string
		want   bool
	}{
		"whole":                   {whole, nil, true},
		"holes":                   {holes, nil, false},
		"quick":                   {quick, nil, true},
		"open transaction":        {open, nil, false},
		"slow":                    {slow, nil, false},
		"producers' time":         {quick, map[string]string{"message.timestamp.type": "CreateTime"}, false},
		"no lag":                  {quick, map[string]string{"min.compaction.lag.ms": "0"}, false},
		"lag is not told":         {quick, map[string]string{"min.compaction.lag.ms": ""}, false},
		"tombstones do not stay":  {quick, map[string]string{"delete.retention.ms": "60000"}, false},
		"whole with all of these": {whole, map[string]string{"message.timestamp.type": "", "delete.retention.ms": "0"}, true},
	} {
		configs := map[string]string{}
		for _, m := range []map[string]string{design, tt.change} {
			for k, v := range m {
				configs[k] = v
			}
		}
		if got := missedNothing(window(configs))(tt.pass); got != tt.want {
			t.Errorf("%s: whole %t, want %t", name, got, tt.want)
		}
	}
}

// A broker that has only just started does not know the topic yet when its
// settings are looked up again, behind a pass that was quick and had holes.
func TestSettingsOfATopicThatABrokerHasNotHeardOf(t *testing.T) {
	inLab(t, map[string]string{"min.compaction.lag.ms": "600000"}, func(l *lab) {
		l.replacing(false)()
		topic := l.open()
		var unheard *kfake.FaultHandle
		quick := topic.missedNothing
		topic.missedNothing = func(pass kafka.Pass) bool {
			time.Sleep(time.Minute) // what was heard is forgotten
			unheard = l.kafka.Server().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: l.snapshots, Err: kerr.UnknownTopicOrPartition, Count: -1})
			time.AfterFunc(5*time.Second, unheard.Remove)
			return quick(pass) && !pass.Whole()
		}
		if _, err := Resync(l.t.Context(), topic, Options{}, func(*Record) error { return nil }); err != nil || unheard.Hits() == 0 {
			t.Errorf("after %d answers: %v", unheard.Hits(), err)
		}
	})
}

// A load that always misses something ends: with an error.
func TestDeadlineEndsALoadWithAnError(t *testing.T) {
	for name, tt := range map[string]struct {
		deadline time.Duration
		settings map[string]string
		least    time.Duration
	}{
		"given":                  {time.Minute, nil, time.Minute},
		"default":                {0, map[string]string{"delete.retention.ms": "600000"}, 5 * time.Minute},
		"longer than tombstones": {time.Hour, map[string]string{"delete.retention.ms": "600000"}, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inLab(t, tt.settings, func(l *lab) {
				l.happen("a")
				l.flush()
				topic := l.open()
				topic.missedNothing = func(kafka.Pass) bool { time.Sleep(10 * time.Second); return false }
				began := time.Now()
				_, err := Resync(l.t.Context(), topic, Options{Deadline: tt.deadline}, func(*Record) error { return nil })
				if err == nil || errors.Is(err, ErrUnusable) {
					t.Errorf("Resync: %v", err)
				}
				if took := time.Since(began); took < tt.least || took > tt.least+20*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// A log begins behind 0 where records were deleted, and with some brokers where
// the cleaner has removed the first ones. The record of the beginning, which
// nothing replaces, tells the two apart.
func TestDeletedBeginningIsRefused(t *testing.T) {
	for _, begun := range []bool{true, false} {
		t.Run(fmt.Sprintf("begun=%v", begun), func(t *testing.T) {
			inLab(t, impatient, func(l *lab) {
				l.happen("a", "b")
				l.fold()
				l.begin(l.pending()...).Abort()
				if begun {
					l.put(l.beginning())
				}
				for range 3 {
					l.happen("a", "b")
					l.flush()
				}
				l.compact()
				l.happen("a")
				r := l.reader()
				first, _, err := r.topic.scanner.Bounds(l.t.Context(), r.topic.Partition(0))
				if err != nil || first == 0 {
					t.Fatalf("the log begins at %d, %v", first, err)
				}
				if begun {
					r.right()
				} else {
					r.refused(fmt.Sprintf("begins at %d, so snapshots before it were deleted", first))
				}
			})
		})
	}
}

// Progress never goes back, never passes its end, and ends there.
func TestProgressIsToldToTheEnd(t *testing.T) {
	inLab(t, impatient, func(l *lab) {
		l.replacing(false)()
		topic, passes := l.open(), 0
		topic.missedNothing = func(kafka.Pass) bool {
			passes++
			l.happen("a")
			l.flush()
			return passes == 3
		}
		var last Progress
		tell := func(p Progress) {
			if p.Position < last.Position || p.Position > p.End || p.Snapshots < last.Snapshots {
				t.Errorf("%+v after %+v", p, last)
			}
			last = p
		}
		loaded, err := Resync(l.t.Context(), topic, Options{Progress: tell}, func(*Record) error {
			time.Sleep(progressInterval)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := (Progress{loaded.Checkpoint.Next, loaded.Checkpoint.Next, loaded.Snapshots, 3}); last != want {
			t.Errorf("%+v, want %+v", last, want)
		}
	})
}
