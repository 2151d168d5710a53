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

// Rule 9: two workers with one name.
func TestGroupWithATakenInstanceIDEnds(t *testing.T) {
	f := onTCP(t, fastGroups)
	f.topic("t", 2, nil)
	f.instanceTaken("t")
}

func TestGroupWithATakenInstanceIDEndsOnRealKafka(t *testing.T) {
	f, spec := onRealKafka(t, 2)
	f.instanceTaken(spec.Name)
}

// instanceTaken starts a second worker with the name of the first, while the
// first works and while the first is still being told what it has.
func (f *fixture) instanceTaken(topic string) {
	f.t.Helper()
	for _, busy := range []bool{false, true} {
		opts := GroupOptions{Group: topic + "-taken", Topics: []string{topic}, SessionTimeout: time.Second}
		first := newOwner(f.t)
		l, assigning, goOn := first.slow()
		ended := make(chan error, 1)
		go func() { ended <- f.groupOf("worker-1", opts).Run(f.t.Context(), l) }()
		<-assigning
		if !busy {
			close(goOn)
			first.await(2, 1)
		}
		second := run(f.t, f.groupOf("worker-1", opts))
		second.await(2, 1)
		if busy {
			close(goOn)
		}
		select {
		case err := <-ended:
			if !errors.Is(err, ErrInstanceTaken) || !strings.Contains(err.Error(), `"worker-1"; give each worker a name of its own`) {
				f.t.Errorf("Run = %v", err)
			}
		case <-time.After(30 * time.Second):
			f.t.Fatal("the fenced worker goes on")
		}
		if owned, _, _ := first.count(); owned != 0 {
			f.t.Errorf("the fenced worker still owns %d", owned)
		}
		time.Sleep(2 * opts.SessionTimeout)
		if owned, assigned, revoked := second.count(); owned != 2 || revoked != 0 {
			f.t.Errorf("the second worker owns %d after %d assignments and %d revokes", owned, assigned, revoked)
		}
		_ = second.stop()
	}
}

// A member that takes longer over its assignment than the group waits is
// expelled, and others get its partitions. It is told so, joins again, and
// nobody's partition stands still.
func TestMemberExpelledWhileItIsAssigned(t *testing.T) {
	f := onTCP(t, fastGroups)
	f.topic("t", 2, nil)
	f.expelled("t")
}

func TestMemberExpelledWhileItIsAssignedOnRealKafka(t *testing.T) {
	f, spec := onRealKafka(t, 2)
	f.expelled(spec.Name)
}

func (f *fixture) expelled(topic string) {
	f.t.Helper()
	for _, instance := range []string{"", "worker-1"} {
		opts := GroupOptions{
			Group: topic + "-expelled" + instance, Topics: []string{topic},
			SessionTimeout: time.Second, rebalanceTimeout: 2 * time.Second,
		}
		first := newOwner(f.t)
		l, assigning, goOn := first.slow()
		ctx, cancel := context.WithCancel(f.t.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.groupOf(instance, opts).Run(ctx, l) }()
		<-assigning
		second := run(f.t, f.groupOf("", opts))
		second.await(2, 1) // without the first one's consent
		close(goOn)
		// where it is back before it was told it keeps one of its partitions: it is
		// for the epoch to tell it that somebody else owned that one meanwhile
		first.await(1, 1)
		second.await(1, 1)
		if _, _, revoked := first.count(); revoked == 0 {
			f.t.Errorf("instance %q: the expelled member was not told what it lost", instance)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			f.t.Errorf("instance %q: Run = %v", instance, err)
		}
		_ = second.stop()
	}
}

// slow returns a listener that stays in its first assignment until goOn is
// closed.
func (o *owner) slow() (l Listener, assigning <-chan struct{}, goOn chan struct{}) {
	began, goOn := make(chan struct{}), make(chan struct{})
	l = o.listener()
	told, first := l.Assigned, true
	l.Assigned = func(ctx context.Context, ps []streams.Partition) {
		told(ctx, ps)
		if first {
			first = false
			close(began)
			<-goOn
		}
	}
	return l, began, goOn
}

// A cluster that does not answer holds up nobody who wants to leave.
func TestGroupIsLeftThoughNobodyAnswers(t *testing.T) {
	f := onTCP(t, fastGroups)
	f.topic("t", 2, nil)
	g := run(t, f.group("", nil))
	g.await(2, 1)
	answer := make(chan struct{})
	f.cluster.ControlKey(int16(kmsg.LeaveGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.SleepControl(func() { <-answer })
		return nil, nil, false
	})
	began := time.Now()
	_ = g.stop()
	close(answer)
	if took := time.Since(began); took > 2*closeGrace {
		t.Errorf("left after %v", took)
	}
}

// A member that the group has forgotten is told that it lost its partitions, and
// is told them again.
func TestMemberThatTheGroupForgotIsTold(t *testing.T) {
	f := onTCP(t, fastGroups)
	f.topic("t", 2, nil)
	o := newOwner(t)
	l, lost := o.listener(), make(chan bool, 2)
	told := l.Revoked
	l.Revoked = func(ctx context.Context, ps []streams.Partition, isLost bool) {
		told(ctx, ps, isLost)
		lost <- isLost
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.group("", nil).Run(ctx, l) }()
	o.await(2, 1)
	f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Err: kerr.UnknownMemberID})
	if !<-lost {
		t.Error("revoked as if it were still owned")
	}
	o.await(2, 2)
	cancel()
	<-ended
}
