package kafka

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

var allQuestions = []string{"topics", "starts", "stable ends", "bounds", "scan"}

// questions are what is asked about a topic that is known.
func (f *fixture) questions() map[string]func(context.Context) error {
	f.t.Helper()
	a, s := f.admin(), f.scanner()
	f.t.Cleanup(a.Close)
	if _, err := a.Topics(f.t.Context(), "t"); err != nil {
		f.t.Fatal(err)
	}
	return map[string]func(context.Context) error{
		"topics":      func(ctx context.Context) error { _, err := a.Topics(ctx, "t"); return err },
		"starts":      func(ctx context.Context) error { _, err := a.StartOffsets(ctx, "t"); return err },
		"stable ends": func(ctx context.Context) error { _, err := a.StableEnds(ctx, "t"); return err },
		"bounds":      func(ctx context.Context) error { _, _, err := s.Bounds(ctx, p0); return err },
		"scan": func(ctx context.Context) error {
			pass, err := s.Scan(ctx, p0, 0, func(streams.Record) error { return nil })
			if err == nil && pass.Delivered != 3 {
				f.t.Errorf("%+v", pass)
			}
			return err
		},
	}
}

// eachQuestion asks questions about a topic, in a bubble each.
func eachQuestion(t *testing.T, names []string, story func(*testing.T, *fixture, func(context.Context) error)) {
	t.Helper()
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.topic("t", 1, nil)
				f.produce(p0, 3)
				ask := f.questions()[name]
				time.Sleep(time.Second) // what was heard is forgotten
				story(t, f, ask)
			})
		})
	}
}

// A broker that has just started does not know every topic yet.
func TestTopicThatIsNotKnownForAMomentIsAskedForAgain(t *testing.T) {
	for key, asked := range map[kmsg.Key][]string{
		kmsg.Metadata:        allQuestions,
		kmsg.ListOffsets:     {"starts", "stable ends", "bounds", "scan"},
		kmsg.DescribeConfigs: {"topics"},
		kmsg.Fetch:           {"scan"},
	} {
		t.Run(key.Name(), func(t *testing.T) {
			eachQuestion(t, asked, func(t *testing.T, f *fixture, ask func(context.Context) error) {
				f.unknownFor(9*time.Second, ask, kfake.Fault{Keys: []kmsg.Key{key}})
			})
		})
	}
}

// It may be another one than that which has listed the offsets.
func TestTopicWhoseIDIsNotKnownForAMomentIsAskedForAgain(t *testing.T) {
	eachQuestion(t, []string{"bounds", "scan"}, func(t *testing.T, f *fixture, ask func(context.Context) error) {
		listed := f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Observe: true, Count: -1})
		f.cluster.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
			f.cluster.KeepControl()
			time.Sleep(time.Second) // what was heard is forgotten
			return nil, nil, false
		})
		f.unknownFor(9*time.Second, ask, kfake.Fault{
			Keys: []kmsg.Key{kmsg.Metadata},
			When: func(kmsg.Request) bool { return listed.Hits() == 2 },
		})
	})
}

// unknownFor asks a question while what answers it does not know the topic.
func (f *fixture) unknownFor(d time.Duration, ask func(context.Context) error, unknown kfake.Fault) {
	f.t.Helper()
	unknown.Err, unknown.Count = kerr.UnknownTopicOrPartition, -1
	held := f.cluster.Fault(unknown)
	time.AfterFunc(d, held.Remove)
	began := time.Now()
	err := ask(f.t.Context())
	if took := time.Since(began); err != nil || held.Hits() == 0 || took < d || took > d+2*time.Second {
		f.t.Errorf("after %v and %d answers: %v", took, held.Hits(), err)
	}
}

// A topic that is gone is told to be: the first time after a while.
func TestTopicThatIsGoneIsToldToBe(t *testing.T) {
	eachQuestion(t, allQuestions, func(t *testing.T, f *fixture, ask func(context.Context) error) {
		if err := f.cluster.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		err := ask(t.Context())
		if took := time.Since(began); !errors.Is(err, ErrNoTopic) || Waits(err) || strings.Count(err.Error(), ErrNoTopic.Error()) != 1 ||
			took < hearsay || took > hearsay+time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// Nobody waits for a topic that was never there, nor again for one that is gone.
func TestTopicThatIsNotThereIsNotWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		a := f.admin()
		defer a.Close()
		if _, err := a.Topics(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
		if err := f.cluster.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		for i, want := range []time.Duration{hearsay, 0} {
			began := time.Now()
			_, other := a.StableEnds(t.Context(), "other")
			_, both := a.Topics(t.Context(), "t", "other")
			_, gone := a.Topics(t.Context(), "t")
			for _, err := range []error{other, both, gone} {
				if !errors.Is(err, ErrNoTopic) {
					t.Error(err)
				}
			}
			if took := time.Since(began).Truncate(2 * time.Second); took != want {
				t.Errorf("%d: it took %v, want %v", i, took, want)
			}
		}
	})
}

// Who is called off does not go on asking.
func TestWaitingForAnUnknownTopicEndsWithItsContext(t *testing.T) {
	eachQuestion(t, allQuestions, func(t *testing.T, f *fixture, ask func(context.Context) error) {
		if err := f.cluster.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		err := ask(ctx)
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 3*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// What is known of an error is said once.
func TestRefusalSaysOnceThatThereIsNoTopic(t *testing.T) {
	for _, code := range []error{kerr.UnknownTopicOrPartition, kerr.UnknownTopicID} {
		want := "topic does not exist: " + code.Error()
		if err := refusal(noTopic(code)); !errors.Is(err, ErrNoTopic) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
