package snapshot

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams/kafka"
)

// inLab runs fn in a bubble.
func inLab(t *testing.T, changes map[string]string, fn func(*lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { fn(newLab(t, changes)) })
}

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

// Keys are replaced while a slow reader reads, and the cleaner removes what he
// has not read. A reader that takes the first pass for all misses streams.
func TestPassThatMissedRecordsIsFollowedByAnother(t *testing.T) {
	for _, single := range []bool{false, true} {
		t.Run(fmt.Sprintf("single=%t", single), func(t *testing.T) {
			inLab(t, impatient, func(l *lab) {
				big := make([]byte, 150_000) // two to a fetch
				rand.NewChaCha8([32]byte{}).Read(big)
				l.happen("rests")
				l.flush()
				for i := range 10 {
					l.happen(fmt.Sprintf("order-%d", i))
					l.fold()
					l.put(Encode(fmt.Appendf(nil, "filler-%d", i), stateOf(big)))
					l.flush()
				}
				r := l.reader()
				if single {
					r.topic.missedNothing = func(kafka.Pass) bool { return true }
				}
				seen := 0
				r.each = func(*Record) error {
					if seen++; seen == 5 {
						for i := range 10 {
							l.happen(fmt.Sprintf("order-%d", i))
						}
						l.fold()
						l.put(l.pending()...)
						l.put(l.watermark(l.position)) // the cleaner does not look at the last batch
						l.compact()
					}
					return nil
				}
				if err := r.load(); err != nil {
					t.Fatal(err)
				}
				for i := range 10 {
					delete(r.states, fmt.Sprintf("filler-%d", i))
				}
				r.follow()
				if wrong := r.wrong(); (wrong != "") != single {
					t.Errorf("after %d passes: %s", r.loaded.Passes, wrong)
				}
				if !single && r.loaded.Passes < 2 {
					t.Errorf("%d passes", r.loaded.Passes)
				}
			})
		})
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
