package kafka

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/millrace/millrace/streams"
)

// Rule 10: what the client forgets to revoke is revoked.
func TestMemberRevokesTheRest(t *testing.T) {
	o := newOwner(t)
	m := newMember(t.Context(), o.listener(), newOutage(new(logLines)))
	m.onAssigned(t.Context(), nil, map[string][]int32{"t": {0, 1, 2}})
	m.onAssigned(t.Context(), nil, map[string][]int32{"t": {1}})
	m.onRevoked(t.Context(), nil, map[string][]int32{"t": {2, 7}})
	o.await(2, 1)
	m.revokeAll()
	m.revokeAll()
	if owned, assigned, revoked := o.count(); owned != 0 || assigned != 1 || revoked != 2 {
		t.Errorf("%d owned, %d assigned, %d revoked", owned, assigned, revoked)
	}
}

// Rule 10: Run does not return before the revoke did.
func TestRevokeIsWaitedFor(t *testing.T) {
	f := onTCP(t, fastGroups)
	f.topic("t", 1, nil)
	for _, a := range []Assigner{f.group("", nil), NewDirect(p0)} {
		assigned, finish := make(chan struct{}), make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- a.Run(ctx, Listener{
				Assigned: func(context.Context, []streams.Partition) { close(assigned) },
				Revoked:  func(context.Context, []streams.Partition, bool) { <-finish },
			})
		}()
		<-assigned
		cancel()
		select {
		case <-done:
			t.Error("Run returned while a revoke was under way")
		case <-time.After(50 * time.Millisecond):
		}
		close(finish)
		<-done
	}
}

func TestDirect(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *fixture) {
		d := run(t, NewDirect(p0, streams.Partition{Topic: "t", Partition: 1}))
		d.await(2, 1)
		d.Rejoin()
		d.Rejoin()
		d.await(2, 2)
		if err := d.Commit(t.Context(), map[streams.Partition]int64{p0: 1}); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		if _, assigned, _ := d.count(); assigned > 3 {
			t.Errorf("assigned %d times", assigned)
		}
		if err := d.stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v", err)
		}
	})
}
