package kafka

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

func (f *fixture) group(instance string, log *slog.Logger) Assigner {
	return f.groupOf(instance, GroupOptions{Group: "g", Topics: []string{"t"}, SessionTimeout: time.Second, Logger: log})
}

func (f *fixture) groupOf(instance string, opts GroupOptions) Assigner {
	cfg := f.config
	cfg.InstanceID = instance
	return NewGroup(cfg, opts)
}

var fastGroups = kfake.BrokerConfigs(map[string]string{
	"group.initial.rebalance.delay.ms": "0",
	"group.min.session.timeout.ms":     "100",
})

func TestGroupSharesPartitionsOut(t *testing.T) {
	f := onTCP(t, fastGroups)
	f.topic("t", 4, nil)
	first := run(t, f.group("", nil))
	first.await(4, 1)
	second := run(t, f.group("", nil))
	second.await(2, 1)
	first.await(2, 1)
	if _, assigned, _ := first.count(); assigned != 1 {
		t.Error("what stays with a member stood still in a rebalance")
	}
	if err := second.stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v", err)
	}
	first.await(4, 2)
}

// A worker that the group has nothing for is told so: it is ready, not waiting.
func TestSpareMemberIsTold(t *testing.T) {
	f := onTCP(t, fastGroups)
	f.topic("t", 1, nil)
	run(t, f.group("", nil)).await(1, 1)
	run(t, f.group("", nil)).await(0, 1)
}

// Rule 6: the group only assigns. It does not fetch, nor ask where to begin.
func TestGroupNeverFetches(t *testing.T) {
	f := onTCP(t, fastGroups)
	f.topic("t", 2, nil)
	f.produce(p0, 5)
	requests := f.cluster.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Fetch, kmsg.ListOffsets, kmsg.OffsetForLeaderEpoch}, Observe: true, Count: -1,
	})
	defer requests.Remove()
	heartbeats := f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, TopLevel: true, Observe: true, Count: -1})
	defer heartbeats.Remove()
	for range 2 { // without committed offsets, then with some
		g := run(t, f.group("", nil))
		g.await(2, 1)
		if err := g.Commit(t.Context(), map[streams.Partition]int64{p0: 3}); err != nil {
			t.Fatal(err)
		}
		seen := heartbeats.Hits()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := heartbeats.Wait(ctx, seen+3); err != nil {
			t.Fatal(err)
		}
		_ = g.stop()
	}
	if n := requests.Hits(); n != 0 {
		t.Errorf("%d requests for records or offsets", n)
	}
}

// Rule 6: committed offsets are there for lag tools.
func TestGroupCommits(t *testing.T) {
	f := onTCP(t, fastGroups)
	f.topic("t", 1, nil)
	g := run(t, f.group("", nil))
	if err := g.Commit(t.Context(), map[streams.Partition]int64{p0: 1}); err != nil && !errors.Is(err, kerr.UnknownMemberID) {
		t.Logf("a commit before the group was joined: %v", err)
	}
	g.await(1, 1)
	if err := g.Commit(t.Context(), map[streams.Partition]int64{p0: 7}); err != nil {
		t.Fatal(err)
	}
	a := f.admin()
	defer a.Close()
	offsets, err := kadm.NewClient(a.client).FetchOffsets(t.Context(), "g")
	if o, ok := offsets.Lookup("t", 0); err != nil || !ok || o.At != 7 {
		t.Errorf("committed %+v, %v", o, err)
	}
	refused := f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: "t", Err: kerr.TopicAuthorizationFailed})
	if err := g.Commit(t.Context(), map[streams.Partition]int64{p0: 9}); !errors.Is(err, kerr.TopicAuthorizationFailed) || refused.Hits() != 1 {
		t.Errorf("a commit that is refused: %v", err)
	}
	_ = g.stop()
	if err := g.Commit(t.Context(), map[streams.Partition]int64{p0: 8}); err != nil {
		t.Errorf("a commit after the end: %v", err)
	}
}

// Rule 8: after a fence only a new member is told its partitions again.
func TestGroupRejoinsAsANewMember(t *testing.T) {
	for _, instance := range []string{"", "worker-1"} {
		f := onTCP(t, fastGroups)
		f.topic("t", 2, nil)
		g := run(t, f.group(instance, nil))
		g.await(2, 1)
		before, began := memberID(t, f), time.Now()
		g.Rejoin()
		g.await(2, 2)
		if took := time.Since(began); took < time.Second/2 {
			t.Errorf("joined again after %v: two that fence each other would do so all the time", took)
		}
		if _, _, revoked := g.count(); revoked == 0 {
			t.Error("nothing was revoked")
		}
		if after := memberID(t, f); after == before {
			t.Errorf("instance %q: still member %s", instance, after)
		}
		_ = g.stop()
	}
}

func memberID(t *testing.T, f *fixture) string {
	t.Helper()
	a := f.admin()
	defer a.Close()
	groups, err := kadm.NewClient(a.client).DescribeGroups(t.Context(), "g")
	if err != nil || len(groups["g"].Members) != 1 {
		t.Fatalf("group %+v, %v", groups["g"], err)
	}
	return groups["g"].Members[0].MemberID
}

// Rule 11: what the group refuses is waited for, with a line per change.
func TestGroupWaitsForAuthorization(t *testing.T) {
	f := onTCP(t, fastGroups)
	f.topic("t", 1, nil)
	fault := f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, TopLevel: true, Err: kerr.GroupAuthorizationFailed, Count: -1})
	var log logLines
	g := run(t, f.group("", log.logger()))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := fault.Wait(ctx, 4); err != nil {
		t.Fatal(err)
	}
	fault.Remove()
	g.await(1, 1)
	_ = g.stop()
	log.check(t, "WARN the consumer group has no place for this worker: waiting",
		"INFO the consumer group has no place for this worker: over")
}
