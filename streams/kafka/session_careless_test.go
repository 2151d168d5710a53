package kafka

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// What follows is rule 8 as OpenSession keeps it, and in other orders, where
// something is lost or done twice.

// commit ends the transaction that an owner has open. Whoever was fenced cannot.
func (s *Session) commit() error {
	return s.client.EndTransaction(context.Background(), kgo.TryCommit)
}

// careless is a session on a client that has not fenced yet.
func careless(t *testing.T, g ground) *Session {
	t.Helper()
	client, err := kgo.NewClient(g.sessionOptions(g.partition)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &Session{client: client, partition: g.partition}
}

// endsAt lists the end up to which a careless session loads.
func (s *Session) endsAt(t *testing.T, at place) {
	t.Helper()
	var err error
	if s.end, err = s.list(t.Context(), at); err != nil {
		t.Fatal(err)
	}
}

// The former owner commits what it has open, and another transaction, when the
// new one is about to fence. Whatever end was listed before is too short.
func TestEndThatIsListedBeforeTheFenceMissesACommit(t *testing.T) {
	bothWays(t, func(t *testing.T, g ground, defended bool) (right bool) {
		old := openSession(t, g)
		produceOpen(t, old, "a")
		g = g.before(kmsg.InitProducerID, func() {
			if err := errors.Join(old.commit(), old.Write(t.Context(), outRecords("b"))); err != nil {
				t.Error(err)
			}
		})
		s := careless(t, g)
		if defended {
			s = openSession(t, g)
		} else {
			s.endsAt(t, atEnd)
			if err := s.fence(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		loaded := values(t, s)
		wantValues(t, values(t, openSession(t, g)), "a", "b")
		return slices.Equal(loaded, []string{"a", "b"})
	})
}

// The former owner is frozen in a transaction, and wakes when the new one has
// loaded. Both did the same step.
func TestLoadBeforeTheFenceMissesACommit(t *testing.T) {
	bothWays(t, func(t *testing.T, g ground, defended bool) (right bool) {
		old := openSession(t, g)
		produceOpen(t, old, "a")
		s := careless(t, g)
		if defended {
			s = openSession(t, g)
		} else {
			s.endsAt(t, atStableEnd)
		}
		wantValues(t, values(t, s))
		if err := old.commit(); (err != nil) != defended {
			t.Errorf("the former owner commits: %v", err)
		}
		if err := s.Write(t.Context(), outRecords("a")); err != nil {
			t.Fatal(err)
		}
		return slices.Equal(values(t, openSession(t, g)), []string{"a"})
	})
}

// A client that has a producer ID gives it from memory, and fences nobody: an
// owner that is assigned a partition again needs a new one.
func TestClientOfAFormerAssignmentFencesNobody(t *testing.T) {
	bothWays(t, func(t *testing.T, g ground, defended bool) (right bool) {
		again := openSession(t, g) // assigned, and revoked
		other := openSession(t, g) // assigned to another one meanwhile
		if defended {
			again = openSession(t, g)
		} else if err := again.takeOver(t.Context()); err != nil {
			t.Fatal(err)
		}
		loaded := values(t, again)
		if err := other.Write(t.Context(), outRecords("a")); errors.Is(err, ErrFenced) != defended {
			t.Errorf("the other one writes: %v", err)
		}
		return slices.Equal(loaded, values(t, openSession(t, g)))
	})
}

// Somebody with another transactional ID, whom nobody fences, commits later. Up
// to the LSO the partition looks whole.
func TestLoadBesideAForeignTransactionMissesACommit(t *testing.T) {
	bothWays(t, func(t *testing.T, g ground, defended bool) (right bool) {
		foreign := g
		foreign.Prefix = "somebody"
		other := openSession(t, foreign)
		produceOpen(t, other, "a")
		s := careless(t, g)
		if err := s.takeOver(t.Context()); !errors.Is(err, ErrOpenTransaction) {
			t.Fatalf("takeOver: %v", err)
		}
		s.endsAt(t, atStableEnd)
		loaded := values(t, s)
		if err := other.commit(); err != nil {
			t.Fatal(err)
		}
		if defended {
			loaded = values(t, openSession(t, g))
		}
		return slices.Equal(loaded, []string{"a"})
	})
}
