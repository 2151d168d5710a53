package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

// The client sends what waited for the partitions of a topic before it shows
// them, and EndTransaction aborts, without an error, where it sees none that
// was written to. Here the client is held up in between. Should the first half
// fail, the client is mended, and awaitPartition can go.
func TestSessionAwaitsItsPartition(t *testing.T) {
	for _, awaits := range []bool{false, true} {
		t.Run(fmt.Sprintf("awaits=%v", awaits), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster, g := sessionCluster(t)
				s, release := slowSession(t, g)
				if err := s.client.BeginTransaction(); err != nil {
					t.Fatal(err)
				}
				both, written := make(chan struct{}), make(chan error)
				cluster.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
					cluster.SleepControl(func() { <-both }) // or "late" would wait in this goroutine
					return nil, nil, false
				})
				for _, v := range []string{"a", "late"} {
					s.client.Produce(t.Context(), &kgo.Record{Topic: s.partition.Topic, Value: []byte(v)}, func(r *kgo.Record, err error) {
						if string(r.Value) == "a" {
							written <- err
						}
					})
				}
				close(both)
				go s.client.Flush(context.Background())
				if err := <-written; err != nil {
					t.Fatal(err)
				}
				if awaits {
					time.AfterFunc(stableTimeout/2, release)
					if err := s.awaitPartition(); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.client.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
					t.Errorf("EndTransaction: %v", err)
				}
				release()
				if lso, err := s.list(t.Context(), atStableEnd); err != nil || lso < 2 {
					t.Fatalf("LSO %d, %v", lso, err)
				}
				if got := committed(t, g); (got > 0) != awaits {
					t.Errorf("%d records are committed", got)
				}
			})
		})
	}
}

// slowSession has a client that waits for release before it shows its partition
// when it has learned of it and sent the first record.
func slowSession(t *testing.T, g ground) (s *Session, release func()) {
	t.Helper()
	held := make(chan struct{})
	release = sync.OnceFunc(func() { close(held) })
	t.Cleanup(release)
	partitioner := kgo.BasicConsistentPartitioner(func(string) func(*kgo.Record, int) int {
		return func(r *kgo.Record, _ int) int {
			if string(r.Value) == "late" {
				<-held
			}
			return int(g.partition.Partition)
		}
	})
	client, err := kgo.NewClient(append(g.sessionOptions(g.partition), kgo.RecordPartitioner(partitioner))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s = &Session{client: client, partition: g.partition}
	if err := s.takeOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, release
}

// committed is the number of committed records.
func committed(t *testing.T, g ground) int {
	t.Helper()
	n := 0
	err := openSession(t, g).Load(t.Context(), func(streams.Record) error { n++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAwaitPartitionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, g := sessionCluster(t)
		s := openSession(t, g)
		if err := s.awaitPartition(); err == nil {
			t.Error("no error although nothing was written")
		}
	})
}

// One batch of a transaction fails: End would commit the others.
func TestSessionCommitsNothingWhenAProduceFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, g := sessionCluster(t)
		s := openSession(t, g)
		produced := 0
		cluster.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidRecord,
			When: func(kmsg.Request) bool { produced++; return produced == 2 },
		})
		big := strings.Repeat("x", 400_000) // with its header 800 kB: a batch of its own
		err := s.Write(t.Context(), outRecords(big, big, big))
		if !errors.Is(err, ErrRefused) || !errors.Is(err, kerr.InvalidRecord) {
			t.Errorf("Write: %v", err)
		}
		if produced < 2 {
			t.Fatalf("%d produce requests", produced)
		}
		if got := values(t, openSession(t, g)); len(got) != 0 {
			t.Errorf("%d records of the failed transaction are committed", len(got))
		}
	})
}

// Whatever becomes of a transaction whose end was not answered, the next
// session knows, and what is written again is not there twice.
func TestSessionKnowsTheOutcomeOfALostEnd(t *testing.T) {
	for _, applied := range []bool{false, true} {
		t.Run(fmt.Sprintf("applied=%v", applied), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster, g := sessionCluster(t)
				s := openSession(t, g)
				if applied {
					dropEndAnswer(cluster)
				} else {
					cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.UnknownServerError})
				}
				err := s.Write(t.Context(), outRecords("a"))
				if applied != (err == nil) || errors.Is(err, ErrRefused) || errors.Is(err, ErrFenced) {
					t.Errorf("Write: %v", err)
				}
				next := openSession(t, g)
				if got := values(t, next); len(got) == 0 {
					if err := next.Write(t.Context(), outRecords("a")); err != nil {
						t.Fatal(err)
					}
				}
				wantValues(t, values(t, openSession(t, g)), "a")
			})
		})
	}
}

// dropEndAnswer cuts the connection after the broker has ended a transaction.
// The client asks again, and the broker recognises the question.
func dropEndAnswer(cluster *kfake.Cluster) {
	cut := false
	cluster.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if cut {
			return nil, nil, false
		}
		cut = true
		return nil, errors.New("cut"), true
	})
}

// After any error the producer ID is not asked for again: that would take the
// partition back from whoever has it.
func TestSessionNeverTakesItsIDBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, g := sessionCluster(t)
		s := openSession(t, g)
		inits := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Observe: true, Count: -1})
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.InvalidTxnState})
		for range 3 {
			if err := s.Write(t.Context(), outRecords("a")); err == nil || errors.Is(err, ErrFenced) || errors.Is(err, ErrRefused) {
				t.Errorf("Write: %v", err)
			}
		}
		if n := inits.Hits(); n != 0 {
			t.Errorf("asked %d times for a producer ID", n)
		}
	})
}

// The context of a Write ends while the broker does not take its records, or its
// end.
func TestWriteGivesUpAfterItsGrace(t *testing.T) {
	for key, fault := range map[kmsg.Key]*kerr.Error{kmsg.Produce: kerr.NotLeaderForPartition, kmsg.EndTxn: kerr.CoordinatorNotAvailable} {
		t.Run(key.Name(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster, g := sessionCluster(t)
				s := openSession(t, g)
				cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: fault, Count: -1})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				began := time.Now()
				err := s.Write(ctx, outRecords("a"))
				if err == nil || errors.Is(err, ErrFenced) || errors.Is(err, ErrRefused) {
					t.Errorf("Write: %v", err)
				}
				if took := time.Since(began); took < writeGrace || took > 2*writeGrace {
					t.Errorf("gave up after %v", took)
				}
			})
		})
	}
}

func TestWriteFinishesWhatItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, g := sessionCluster(t)
		s := openSession(t, g)
		ctx, cancel := context.WithCancel(t.Context())
		cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
			cancel()
			return nil, nil, false
		})
		if err := s.Write(ctx, outRecords("a")); err != nil {
			t.Errorf("Write: %v", err)
		}
		if err := s.Write(ctx, outRecords("b")); !errors.Is(err, context.Canceled) {
			t.Errorf("Write with an ended context: %v", err)
		}
		if err := s.Write(t.Context(), outRecords("c")); err != nil {
			t.Errorf("Write after it: %v", err)
		}
		wantValues(t, values(t, openSession(t, g)), "a", "c")
	})
}
