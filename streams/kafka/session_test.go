package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

var sessionPartition = streams.Partition{Topic: "fines", Partition: 1}

// sessionCluster is a broker with the topic fines on a virtual network. It
// belongs into a synctest bubble.
func sessionCluster(t *testing.T) (*kfake.Cluster, Config) {
	t.Helper()
	var network kfake.VirtualNetwork
	cluster, err := kfake.NewCluster(kfake.ListenFn(network.Listen), kfake.Ports(9092), kfake.SeedTopics(2, "fines"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster, Config{Brokers: cluster.ListenAddrs(), Dialer: network.DialContext}
}

func openSession(t *testing.T, cfg Config) *Session {
	t.Helper()
	s, err := OpenSession(t.Context(), cfg, sessionPartition)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func outRecords(values ...string) []OutRecord {
	var out []OutRecord
	for _, v := range values {
		out = append(out, OutRecord{Key: []byte("k"), Value: []byte(v), Headers: []streams.Header{{Key: "h", Value: []byte(v)}}})
	}
	return out
}

// values loads the partition in s.
func values(t *testing.T, s *Session) []string {
	t.Helper()
	var got []string
	err := s.Load(t.Context(), func(r streams.Record) error {
		if h := string(r.Headers[0].Value); h != string(r.Value) {
			t.Errorf("header %q of record %q", h, r.Value)
		}
		got = append(got, string(r.Value))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func wantValues(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("loaded %q, want %q", got, want)
	}
}

// produceOpen produces in a transaction that is left open.
func produceOpen(t *testing.T, s *Session, v ...string) {
	t.Helper()
	if err := s.client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := s.produce(t.Context(), outRecords(v...)); err != nil {
		t.Fatal(err)
	}
}

func TestSessionWritesAndLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := sessionCluster(t)
		s := openSession(t, cfg)
		wantValues(t, values(t, s))
		for _, v := range [][]string{{"a", "b"}, {}, {"c"}} {
			if err := s.Write(t.Context(), outRecords(v...)); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		s = openSession(t, cfg)
		wantValues(t, values(t, s), "a", "b", "c")
		wantValues(t, values(t, s), "a", "b", "c")
		if s.Start() != 0 || s.End() != 5 { // three records, two markers
			t.Errorf("from %d to %d", s.Start(), s.End())
		}
	})
}

// The former owner commits between the moment that the new one starts and the
// moment that the broker fences: what was listed before that is too short.
func TestSessionFencesBeforeItListsTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, cfg := sessionCluster(t)
		old := openSession(t, cfg)
		produceOpen(t, old, "a")
		cluster.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
			cluster.SleepControl(func() {
				if err := old.client.EndTransaction(context.Background(), kgo.TryCommit); err != nil {
					t.Error(err)
				}
			})
			return nil, nil, false
		})
		wantValues(t, values(t, openSession(t, cfg)), "a")
	})
}

func TestSessionFencesTheFormerOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := sessionCluster(t)
		idle, frozen := openSession(t, cfg), openSession(t, cfg)
		if err := idle.Write(t.Context(), outRecords("x")); !errors.Is(err, ErrFenced) || !strings.Contains(err.Error(), "fines/1") {
			t.Errorf("Write of the fenced: %v", err)
		}
		if err := idle.Write(t.Context(), outRecords("x")); !errors.Is(err, ErrSessionClosed) {
			t.Errorf("Write after a fence: %v", err)
		}
		if err := idle.Load(t.Context(), nil); !errors.Is(err, ErrSessionClosed) {
			t.Errorf("Load after a fence: %v", err)
		}
		produceOpen(t, frozen, "y")
		next := openSession(t, cfg)
		if err := frozen.client.EndTransaction(t.Context(), kgo.TryCommit); err == nil {
			t.Error("End of the fenced: no error")
		}
		if err := next.Write(t.Context(), outRecords("z")); err != nil {
			t.Fatal(err)
		}
		wantValues(t, values(t, openSession(t, cfg)), "z")
	})
}

func TestSessionsOfOtherPartitionsDoNotFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := sessionCluster(t)
		s := openSession(t, cfg)
		other, err := OpenSession(t.Context(), cfg, streams.Partition{Topic: "fines"})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if err := errors.Join(s.Write(t.Context(), outRecords("a")), other.Write(t.Context(), outRecords("b"))); err != nil {
			t.Error(err)
		}
	})
}

func TestSessionNamesForeignTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := sessionCluster(t)
		foreign := cfg
		foreign.Prefix = "somebody"
		other := openSession(t, foreign)
		produceOpen(t, other, "a", "b")

		began := time.Now()
		_, err := OpenSession(t.Context(), cfg, sessionPartition)
		if !errors.Is(err, ErrOpenTransaction) || !strings.Contains(err.Error(), "topic fines, partition 1, LSO 0, high watermark 2") {
			t.Errorf("OpenSession: %v", err)
		}
		if waited := time.Since(began); waited < stableTimeout || waited > 2*stableTimeout {
			t.Errorf("waited %v", waited)
		}

		time.AfterFunc(stableTimeout/2, func() { _ = other.client.EndTransaction(context.Background(), kgo.TryCommit) })
		wantValues(t, values(t, openSession(t, cfg)), "a", "b")
	})
}

// The client sends what waited for the partitions of a topic before it shows
// them, and EndTransaction aborts, without an error, where it sees none that
// was written to. Here the client is held up in between. Should the first half
// fail, the client is mended, and awaitPartition can go.
func TestSessionAwaitsItsPartition(t *testing.T) {
	for _, awaits := range []bool{false, true} {
		t.Run(fmt.Sprintf("awaits=%v", awaits), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, cfg := sessionCluster(t)
				s, release := slowSession(t, cfg)
				if err := s.client.BeginTransaction(); err != nil {
					t.Fatal(err)
				}
				written := make(chan error)
				for _, v := range []string{"a", "late"} {
					s.client.Produce(t.Context(), &kgo.Record{Topic: s.partition.Topic, Value: []byte(v)}, func(r *kgo.Record, err error) {
						if string(r.Value) == "a" {
							written <- err
						}
					})
				}
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
				if got := committed(t, cfg); (got > 0) != awaits {
					t.Errorf("%d records are committed", got)
				}
			})
		})
	}
}

// slowSession has a client that waits for release before it shows its partition
// when it has learned of it and sent the first record.
func slowSession(t *testing.T, cfg Config) (s *Session, release func()) {
	t.Helper()
	held := make(chan struct{})
	release = sync.OnceFunc(func() { close(held) })
	t.Cleanup(release)
	partitioner := kgo.BasicConsistentPartitioner(func(string) func(*kgo.Record, int) int {
		return func(r *kgo.Record, _ int) int {
			if string(r.Value) == "late" {
				<-held
			}
			return int(sessionPartition.Partition)
		}
	})
	client, err := kgo.NewClient(append(cfg.sessionOptions(sessionPartition), kgo.RecordPartitioner(partitioner))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s = &Session{client: client, partition: sessionPartition}
	if err := s.takeOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, release
}

// committed is the number of committed records.
func committed(t *testing.T, cfg Config) int {
	t.Helper()
	n := 0
	err := openSession(t, cfg).Load(t.Context(), func(streams.Record) error { n++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAwaitPartitionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := sessionCluster(t)
		s := openSession(t, cfg)
		if err := s.awaitPartition(); err == nil {
			t.Error("no error although nothing was written")
		}
	})
}

// One batch of a transaction fails: End would commit the others.
func TestSessionCommitsNothingWhenAProduceFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, cfg := sessionCluster(t)
		s := openSession(t, cfg)
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
		if got := values(t, openSession(t, cfg)); len(got) != 0 {
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
				cluster, cfg := sessionCluster(t)
				s := openSession(t, cfg)
				if applied {
					dropEndAnswer(cluster)
				} else {
					cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.UnknownServerError})
				}
				err := s.Write(t.Context(), outRecords("a"))
				if applied != (err == nil) || errors.Is(err, ErrRefused) || errors.Is(err, ErrFenced) {
					t.Errorf("Write: %v", err)
				}
				next := openSession(t, cfg)
				if got := values(t, next); len(got) == 0 {
					if err := next.Write(t.Context(), outRecords("a")); err != nil {
						t.Fatal(err)
					}
				}
				wantValues(t, values(t, openSession(t, cfg)), "a")
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
		cluster, cfg := sessionCluster(t)
		s := openSession(t, cfg)
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

// At the end of the log lie records of an aborted transaction and its marker.
func TestLoadEndsBehindWhatIsNeverDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := sessionCluster(t)
		s := openSession(t, cfg)
		if err := s.Write(t.Context(), outRecords("a")); err != nil {
			t.Fatal(err)
		}
		produceOpen(t, s, "b", "c")
		s.Close()
		s = openSession(t, cfg) // aborts
		if s.End() != 5 {
			t.Fatalf("the log ends at %d", s.End())
		}
		wantValues(t, values(t, s), "a")
	})
}

// Records that are written after the end was listed are not loaded.
func TestLoadEndsWhereTheEndWasListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := sessionCluster(t)
		s := openSession(t, cfg)
		if err := s.Write(t.Context(), outRecords("a")); err != nil {
			t.Fatal(err)
		}
		wantValues(t, values(t, s))
	})
}

func TestLoadReturnsTheErrorOfItsFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := sessionCluster(t)
		s := openSession(t, cfg)
		if err := s.Write(t.Context(), outRecords("a", "b")); err != nil {
			t.Fatal(err)
		}
		s = openSession(t, cfg)
		boom, seen := errors.New("boom"), 0
		err := s.Load(t.Context(), func(streams.Record) error { seen++; return boom })
		if err != boom || seen != 1 {
			t.Errorf("Load: %v after %d records", err, seen)
		}
		wantValues(t, values(t, s), "a", "b")
	})
}

func TestLoadGoesOnAfterPassingErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, cfg := sessionCluster(t)
		s := openSession(t, cfg)
		if err := s.Write(t.Context(), outRecords("a")); err != nil {
			t.Fatal(err)
		}
		s = openSession(t, cfg)
		faults := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition, Count: 3})
		wantValues(t, values(t, s), "a")
		if faults.Hits() != 3 {
			t.Errorf("%d errors met", faults.Hits())
		}
	})
}

func TestLoadStopsAtWhatNoWaitingMends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, cfg := sessionCluster(t)
		s := openSession(t, cfg)
		if err := s.Write(t.Context(), outRecords("a")); err != nil {
			t.Fatal(err)
		}
		s = openSession(t, cfg)
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.OffsetOutOfRange, Count: -1})
		err := s.Load(t.Context(), func(streams.Record) error { return nil })
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "fines/1 at position 0") {
			t.Errorf("Load: %v", err)
		}
	})
}

// The context of a Write ends while the broker does not answer.
func TestWriteGivesUpAfterItsGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, cfg := sessionCluster(t)
		s := openSession(t, cfg)
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		err := s.Write(ctx, outRecords("a"))
		if err == nil || errors.Is(err, ErrFenced) || errors.Is(err, ErrRefused) {
			t.Errorf("Write: %v", err)
		}
		if took := time.Since(began); took < produceGrace || took > 3*produceGrace {
			t.Errorf("gave up after %v", took)
		}
	})
}

func TestWriteFinishesWhatItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, cfg := sessionCluster(t)
		s := openSession(t, cfg)
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
		wantValues(t, values(t, openSession(t, cfg)), "a", "c")
	})
}

func TestOpenSessionIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, cfg := sessionCluster(t)
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.TransactionalIDAuthorizationFailed})
		if _, err := OpenSession(t.Context(), cfg, sessionPartition); !errors.Is(err, ErrRefused) {
			t.Errorf("OpenSession: %v", err)
		}
	})
}
