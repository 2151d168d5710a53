package kafka

import (
	"context"
	"errors"
	"slices"
	"strings"
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
func sessionCluster(t *testing.T, opts ...kfake.Opt) (*kfake.Cluster, Config) {
	t.Helper()
	var network kfake.VirtualNetwork
	opts = append(opts, kfake.ListenFn(network.Listen), kfake.Ports(9092), kfake.SeedTopics(2, "fines"))
	cluster, err := kfake.NewCluster(opts...)
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

func TestOpenSessionIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, cfg := sessionCluster(t)
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.TransactionalIDAuthorizationFailed})
		if _, err := OpenSession(t.Context(), cfg, sessionPartition); !errors.Is(err, ErrRefused) {
			t.Errorf("OpenSession: %v", err)
		}
	})
}
