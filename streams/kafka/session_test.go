package kafka

import (
	"errors"
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

func openSession(t *testing.T, g ground) *Session {
	t.Helper()
	s, err := OpenSession(t.Context(), g.Config, g.partition)
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
	if err := errors.Join(s.produce(t.Context(), outRecords(v...)), s.awaitPartition()); err != nil {
		t.Fatal(err)
	}
}

func TestSessionWritesAndLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, g := sessionCluster(t)
		s := openSession(t, g)
		wantValues(t, values(t, s))
		for _, v := range [][]string{{"a", "b"}, {}, {"c"}} {
			if err := s.Write(t.Context(), outRecords(v...)); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		s = openSession(t, g)
		wantValues(t, values(t, s), "a", "b", "c")
		wantValues(t, values(t, s), "a", "b", "c")
		if s.Start() != 0 || s.End() != 5 { // three records, two markers
			t.Errorf("from %d to %d", s.Start(), s.End())
		}
	})
}

func TestSessionFencesTheFormerOwner(t *testing.T) {
	onGrounds(t, func(t *testing.T, g ground) {
		idle, frozen := openSession(t, g), openSession(t, g)
		if err := idle.Write(t.Context(), outRecords("x")); !errors.Is(err, ErrFenced) || !strings.Contains(err.Error(), g.partition.String()) {
			t.Errorf("Write of the fenced: %v", err)
		}
		if err := idle.Write(t.Context(), outRecords("x")); !errors.Is(err, ErrSessionClosed) {
			t.Errorf("Write after a fence: %v", err)
		}
		if err := idle.Load(t.Context(), nil); !errors.Is(err, ErrSessionClosed) {
			t.Errorf("Load after a fence: %v", err)
		}
		produceOpen(t, frozen, "y")
		next := openSession(t, g)
		if err := frozen.commit(); err == nil {
			t.Error("End of the fenced: no error")
		}
		if err := next.Write(t.Context(), outRecords("z")); err != nil {
			t.Fatal(err)
		}
		wantValues(t, values(t, openSession(t, g)), "z")
	})
}

func TestSessionsOfOtherPartitionsDoNotFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, g := sessionCluster(t)
		s := openSession(t, g)
		other, err := OpenSession(t.Context(), g.Config, streams.Partition{Topic: "fines"})
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
		_, g := sessionCluster(t)
		foreign := g
		foreign.Prefix = "somebody"
		other := openSession(t, foreign)
		produceOpen(t, other, "a", "b")

		began := time.Now()
		_, err := OpenSession(t.Context(), g.Config, g.partition)
		if !errors.Is(err, ErrOpenTransaction) || !strings.Contains(err.Error(), "topic fines, partition 1, LSO 0, high watermark 2") {
			t.Errorf("OpenSession: %v", err)
		}
		if waited := time.Since(began); waited < stableTimeout || waited > 2*stableTimeout {
			t.Errorf("waited %v", waited)
		}

		time.AfterFunc(stableTimeout/2, func() { _ = other.commit() })
		wantValues(t, values(t, openSession(t, g)), "a", "b")
	})
}

func TestOpenSessionIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, g := sessionCluster(t)
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.TransactionalIDAuthorizationFailed})
		if _, err := OpenSession(t.Context(), g.Config, g.partition); !errors.Is(err, ErrRefused) {
			t.Errorf("OpenSession: %v", err)
		}
	})
}
