package kafka

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// member is one membership of a group: what is assigned to it, and whom to tell.
type member struct {
	ctx      context.Context // of Run
	listener Listener

	outage *outage // of the group
	topics outage  // what is wrong with topics: the client does not say when it is over

	mu       sync.Mutex // held while the listener is called
	assigned map[streams.Partition]bool
	told     bool // whether the listener heard that this is a member, be it of no partition
}

func newMember(ctx context.Context, l Listener, o *outage) *member {
	return &member{
		ctx: ctx, listener: l, assigned: make(map[streams.Partition]bool),
		outage: o, topics: outage{log: o.log, what: o.what, after: o.after},
	}
}

// follow waits for the end of the membership and reports what goes wrong. There
// are no records to poll.
func (m *member) follow(ctx context.Context, client *kgo.Client, rejoin rejoinSignal) error {
	left, leave := context.WithCancel(ctx)
	defer leave()
	var wait sync.WaitGroup
	defer wait.Wait()
	defer leave()
	wait.Go(func() {
		select {
		case <-rejoin:
			leave()
		case <-left.Done():
		}
	})
	for left.Err() == nil {
		for _, e := range client.PollFetches(left).Errors() {
			if isContext(e.Err) && left.Err() != nil {
				continue
			}
			if errors.Is(e.Err, kerr.FencedInstanceID) || errors.Is(e.Err, kgo.ErrClientClosed) {
				return e.Err
			}
			if e.Topic != "" { // or OnGroupManageError was told
				m.topics.report(m.ctx, e.Err)
			}
		}
	}
	return ctx.Err()
}

// OnGroupManageError implements [kgo.HookGroupManageError]: the membership is
// lost, or there was none. The client calls it before it tries to join again, so
// that an assignment is always told later.
func (m *member) OnGroupManageError(err error) {
	if !errors.Is(err, kerr.FencedInstanceID) && !errors.Is(err, kgo.ErrClientClosed) {
		m.outage.report(m.ctx, err)
	}
}

func (m *member) onAssigned(_ context.Context, _ *kgo.Client, ps map[string][]int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outage.report(m.ctx, nil)
	m.topics.report(m.ctx, nil)
	var added []streams.Partition
	for _, p := range partitions(ps) {
		if !m.assigned[p] {
			m.assigned[p] = true
			added = append(added, p)
		}
	}
	if len(added) > 0 || !m.told {
		m.told = true
		m.listener.Assigned(m.ctx, added)
	}
}

func (m *member) onRevoked(_ context.Context, _ *kgo.Client, ps map[string][]int32) {
	m.revoke(partitions(ps), false)
}

func (m *member) onLost(_ context.Context, _ *kgo.Client, ps map[string][]int32) {
	m.revoke(partitions(ps), true)
}

// revokeAll revokes what the client has not revoked while it was closed.
func (m *member) revokeAll() {
	m.mu.Lock()
	var rest []streams.Partition
	for p := range m.assigned {
		rest = append(rest, p)
	}
	m.mu.Unlock()
	m.revoke(rest, true)
}

func (m *member) revoke(ps []streams.Partition, lost bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = m.told && !lost
	ps = slices.DeleteFunc(ps, func(p streams.Partition) bool { return !m.assigned[p] })
	for _, p := range ps {
		delete(m.assigned, p)
	}
	if len(ps) > 0 {
		m.listener.Revoked(context.WithoutCancel(m.ctx), ps, lost)
	}
}

// partitions returns an assignment as a sorted list.
func partitions(byTopic map[string][]int32) []streams.Partition {
	var ps []streams.Partition
	for topic, numbers := range byTopic {
		for _, n := range numbers {
			ps = append(ps, streams.Partition{Topic: topic, Partition: n})
		}
	}
	slices.SortFunc(ps, func(a, b streams.Partition) int {
		if c := strings.Compare(a.Topic, b.Topic); c != 0 {
			return c
		}
		return int(a.Partition - b.Partition)
	})
	return ps
}
