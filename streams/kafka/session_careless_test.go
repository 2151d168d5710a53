package kafka

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What follows is rule 8 in other orders than OpenSession's, and what the new
// owner misses then. The former owner is frozen in a transaction, and wakes when
// the new one has done the first of its steps.

// commit ends the transaction that a frozen owner has open. Whoever was fenced
// cannot.
func (s *Session) commit() error {
	return s.client.EndTransaction(context.Background(), kgo.TryCommit)
}

// careless is a session on a client that has not fenced yet.
func careless(t *testing.T, cfg Config) *Session {
	t.Helper()
	client, err := kgo.NewClient(cfg.sessionOptions(sessionPartition)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &Session{client: client, partition: sessionPartition}
}

func TestEndThatIsListedBeforeTheFenceMissesACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := sessionCluster(t)
		old := openSession(t, cfg)
		produceOpen(t, old, "a")
		s := careless(t, cfg)
		var err error
		if s.end, err = s.list(t.Context(), atStableEnd); err != nil {
			t.Fatal(err)
		}
		if err := old.commit(); err != nil {
			t.Fatal(err)
		}
		if err := s.fence(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantValues(t, values(t, s)) // a is committed, and missed
		wantValues(t, values(t, openSession(t, cfg)), "a")
	})
}

func TestLoadBeforeTheFenceMissesACommit(t *testing.T) {
	for _, fence := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			_, cfg := sessionCluster(t)
			old := openSession(t, cfg)
			produceOpen(t, old, "a")
			s := careless(t, cfg)
			if fence {
				if err := s.takeOver(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			wantValues(t, values(t, s))
			if err := old.commit(); (err == nil) == fence {
				t.Errorf("fence %t: the former owner commits: %v", fence, err)
			}
			missed := values(t, openSession(t, cfg))
			if (len(missed) > 0) == fence {
				t.Errorf("fence %t: %q was committed after the load", fence, missed)
			}
		})
	}
}

// A client that has a producer ID gives it from memory, and fences nobody: an
// owner that is assigned a partition again needs a new one.
func TestClientOfAFormerAssignmentFencesNobody(t *testing.T) {
	for _, fresh := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			_, cfg := sessionCluster(t)
			first := openSession(t, cfg) // assigned, and revoked
			other := openSession(t, cfg) // assigned to another one meanwhile
			again := first
			if fresh {
				again = openSession(t, cfg)
			} else if err := again.takeOver(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantValues(t, values(t, again))
			if err := other.Write(t.Context(), outRecords("a")); errors.Is(err, ErrFenced) != fresh {
				t.Errorf("fresh %t: the other one writes: %v", fresh, err)
			}
		})
	}
}
