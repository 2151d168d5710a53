package kafka

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

// fetchOneBatch has each fetch bring one batch, so that there is always a next
// one under way.
func (f *fixture) fetchOneBatch() {
	f.cluster.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		for _, t := range req.(*kmsg.FetchRequest).Topics {
			for i := range t.Partitions {
				t.Partitions[i].PartitionMaxBytes = 1
			}
		}
		return nil, nil, false
	})
}

// Whatever comes of the fetch that is under way while records are handed out:
// every record comes once, and in order.
func TestScanGoesOnAfterFetchesThatFail(t *testing.T) {
	for name, failure := range map[string]error{
		"leader": kerr.NotLeaderForPartition, "topic ID": kerr.UnknownTopicID, "connection": errors.New("cut"),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.topic("t", 1, nil)
				f.produce(p0, 12)
				f.fetchOneBatch()
				failed := f.everyThirdFetch(failure)
				pass, offsets := f.scanned(f.scanner(), 0)
				if !pass.Whole() || !slices.Equal(offsets, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) || *failed < 4 {
					t.Errorf("%+v: %d, after %d failures", pass, offsets, *failed)
				}
			})
		})
	}
}

// everyThirdFetch has a fetch fail, by an answer or by its connection.
func (f *fixture) everyThirdFetch(failure error) (failed *int) {
	failed = new(int)
	fetches := 0
	third := func(kmsg.Request) bool {
		if fetches++; fetches%3 == 0 {
			*failed++
		}
		return fetches%3 == 0
	}
	var code *kerr.Error
	if errors.As(failure, &code) {
		f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: code, Count: -1, When: third})
		return failed
	}
	f.cluster.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		return nil, failure, third(req)
	})
	return failed
}

// Whoever takes the records ends the scan, and learns how far it came; the fetch
// under way ends with it.
func TestScanEndsByItsFunctionOrContext(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // nothing runs on after the scan unseen
	boom := errors.New("boom")
	for name, tt := range map[string]struct {
		stop func(cancel func()) error
		want error
	}{
		"error":   {func(func()) error { return boom }, boom},
		"context": {func(cancel func()) error { cancel(); return nil }, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.topic("t", 1, nil)
				f.produce(p0, 9)
				f.fetchOneBatch()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				defer f.silentAt(5, 0)()
				began := time.Now()
				pass, err := f.scanner().Scan(ctx, p0, 0, func(r streams.Record) error {
					if r.Offset == 4 {
						synctest.Wait() // the next fetch is under way
						return tt.stop(cancel)
					}
					return nil
				})
				if strings.Contains(stacks(), "(*scan).ask") {
					t.Error("the fetch is still under way")
				}
				if !errors.Is(err, tt.want) || pass.Next > 5 || pass.Next < 4 || pass.Whole() {
					t.Errorf("%+v: %v", pass, err)
				}
				if took := time.Since(began); took > time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// silentAt has a broker not answer fetches of an offset until what it returns is
// called.
func (f *fixture) silentAt(offset int64, node int32) (over func()) {
	held := make(chan struct{})
	f.cluster.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		if req.(*kmsg.FetchRequest).Topics[0].Partitions[0].FetchOffset == offset && f.cluster.CurrentNode() == node {
			f.cluster.SleepControl(func() { <-held })
		}
		return nil, nil, false
	})
	return func() { close(held); synctest.Wait() }
}

// stacks are those of all goroutines.
func stacks() string {
	all := make([]byte, 1<<20)
	return string(all[:runtime.Stack(all, true)])
}

// A leader that falls silent is left for the one that follows it.
func TestScanGoesOnAtTheNextLeader(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.move(1)
		f.produce(p0, 9)
		f.fetchOneBatch()
		defer f.silentAt(5, 1)()
		began, offset := time.Now(), int64(0)
		pass, err := f.scanner().Scan(t.Context(), p0, 0, func(r streams.Record) error {
			if r.Offset == 4 {
				f.move(0)
			}
			if r.Offset != offset {
				t.Errorf("offset %d, want %d", r.Offset, offset)
			}
			offset++
			return nil
		})
		if err != nil || !pass.Whole() || offset != 9 {
			t.Errorf("%+v: %v", pass, err)
		}
		if took := time.Since(began); took < 10*time.Second || took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
	}, kfake.NumBrokers(2), kfake.Ports(9092, 9093))
}

// A leader that brings nothing although there is something, as one does whose LSO
// has stepped back, is given up.
func TestScanGivesUpWhereNothingComes(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 3)
		f.atOffset(0, 9, nil)
		began := time.Now()
		_, err := f.scanner().Scan(t.Context(), p0, 0, func(streams.Record) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "scanning t/0 at position 0: no progress") {
			t.Errorf("Scan: %v", err)
		}
		if took := time.Since(began); took < loadStall || took > 2*loadStall {
			t.Errorf("it took %v", took)
		}
	})
}

func TestScanRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		known Topic
		from  int64
		want  error
		words string
	}{
		"a position behind the end":  {Topic{}, 4, ErrRefused, "the LSO is 3, before the position 4"},
		"another topic":              {Topic{Name: "t", ID: "before"}, 0, ErrTopicChanged, "topic t: "},
		"another topic, nothing new": {Topic{Name: "t", ID: "before"}, 3, ErrTopicChanged, "topic t: "},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.topic("t", 1, nil)
				f.produce(p0, 3)
				s := f.scanner(tt.known)
				_, err := s.Scan(t.Context(), p0, tt.from, func(streams.Record) error { t.Error("a record"); return nil })
				if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.words) {
					t.Errorf("Scan: %v", err)
				}
				if _, _, err := s.Bounds(t.Context(), p0); tt.known.ID != "" && !errors.Is(err, ErrTopicChanged) {
					t.Errorf("Bounds: %v", err)
				}
			})
		})
	}
}

// What cannot be read, or is refused, ends a scan at once, and has a name.
func TestScanEndsAtWhatNoWaitingMends(t *testing.T) {
	damaged := emptyBatch(2, 3)
	damaged[17]++ // the checksum
	for name, tt := range map[string]struct {
		fault func(f *fixture)
		want  error
	}{
		"damaged batch":   {func(f *fixture) { f.atOffset(2, 4, damaged) }, ErrDamaged},
		"refused fetches": {func(f *fixture) { f.refuse(kmsg.Fetch) }, kerr.TopicAuthorizationFailed},
		"refused leader":  {func(f *fixture) { f.refuse(kmsg.Metadata) }, kerr.TopicAuthorizationFailed},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.topic("t", 1, nil)
				f.produce(p0, 4)
				f.fetchOneBatch()
				s := &scan{client: f.scanner().client, partition: p0, end: 4, fn: func(streams.Record) error { return nil }}
				tt.fault(f)
				began := time.Now()
				err := s.run(t.Context())
				if took := time.Since(began); !errors.Is(err, tt.want) || took > time.Second {
					t.Errorf("run: %v after %v", err, took)
				}
			})
		})
	}
}

// refuse has the broker refuse every request of a kind.
func (f *fixture) refuse(key kmsg.Key) {
	f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.TopicAuthorizationFailed, Count: -1})
}

// However long the records take, a fetch that fails may be tried again.
func TestSlowScanGoesOnAfterAFetchThatFails(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 6)
		f.fetchOneBatch()
		failed := f.everyThirdFetch(kerr.NotLeaderForPartition)
		pass, err := f.scanner().Scan(t.Context(), p0, 0, func(streams.Record) error {
			time.Sleep(2 * loadStall)
			return nil
		})
		if err != nil || !pass.Whole() || *failed == 0 {
			t.Errorf("%+v, after %d failures: %v", pass, *failed, err)
		}
	})
}

// A topic that is made anew while it is read is not read on.
func TestScanOfATopicMadeAnewEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 9)
		f.fetchOneBatch()
		began := time.Now()
		_, err := f.scanner().Scan(t.Context(), p0, 0, func(r streams.Record) error {
			if r.Offset == 0 {
				if err := f.cluster.DeleteTopic("t"); err != nil {
					return err
				}
				f.topic("t", 1, nil)
				f.produce(p0, 9)
			}
			if r.Offset > 2 {
				t.Errorf("offset %d of the new topic", r.Offset)
			}
			return nil
		})
		if took := time.Since(began); !errors.Is(err, ErrTopicChanged) || !errors.Is(err, ErrRefused) || took > time.Second {
			t.Errorf("Scan: %v after %v", err, took)
		}
	})
}
