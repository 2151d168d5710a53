package kafka

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

// reopened is a session that was opened after these values were written.
func reopened(t *testing.T, g ground, values ...string) *Session {
	t.Helper()
	s := openSession(t, g)
	if err := s.Write(t.Context(), outRecords(values...)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	return openSession(t, g)
}

// At the end of the log lie records of an aborted transaction and its marker.
func TestLoadEndsBehindWhatIsNeverDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, g := sessionCluster(t)
		s := reopened(t, g, "a")
		produceOpen(t, s, "b", "c")
		s.Close()
		s = openSession(t, g) // aborts
		if s.End() != 5 {
			t.Fatalf("the log ends at %d", s.End())
		}
		wantValues(t, values(t, s), "a")
	})
}

// Records that are written after the end was listed are not loaded.
func TestLoadEndsWhereTheEndWasListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, g := sessionCluster(t)
		s := openSession(t, g)
		if err := s.Write(t.Context(), outRecords("a")); err != nil {
			t.Fatal(err)
		}
		wantValues(t, values(t, s))
	})
}

func TestLoadReturnsTheErrorOfItsFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, g := sessionCluster(t)
		s := reopened(t, g, "a", "b")
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
		cluster, g := sessionCluster(t)
		s := reopened(t, g, "a")
		faults := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition, Count: 3})
		wantValues(t, values(t, s), "a")
		if faults.Hits() != 3 {
			t.Errorf("%d errors met", faults.Hits())
		}
	})
}

func TestLoadStopsAtWhatNoWaitingMends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster, g := sessionCluster(t)
		s := reopened(t, g, "a")
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.OffsetOutOfRange, Count: -1})
		err := s.Load(t.Context(), func(streams.Record) error { return nil })
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "fines/1 at position 0") {
			t.Errorf("Load: %v", err)
		}
	})
}

// What an aborted transaction wrote is not loaded, be it more than one fetch
// brings.
func TestLoadLeavesOutLargeAbortedTransactions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, g := sessionCluster(t)
		s := openSession(t, g)
		if err := s.Write(t.Context(), outRecords("a")); err != nil {
			t.Fatal(err)
		}
		big := make([]byte, loadBytes/3)
		rand.NewChaCha8([32]byte{}).Read(big) // never fails; what is random is not compressed
		produceOpen(t, s, slices.Repeat([]string{string(big)}, 9)...)
		s.Close()
		s = openSession(t, g) // aborts
		wantValues(t, values(t, s), "a")
	})
}
