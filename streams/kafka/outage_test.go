package kafka

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func newOutage(log *logLines) *outage {
	return &outage{log: log.logger(), what: "nobody answers", after: 1}
}

// A reader that is given nothing by a broker says within seconds whether that is
// because it is away, also where it has nothing to fetch.
func TestReaderSaysThatKafkaIsAway(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 1)
		gate := &gate{dial: f.config.Dialer}
		f.config.Dialer = gate.Dial
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		feed := r.Open(p0, 0)
		f.until(feed, stableEnd(1))
		time.Sleep(time.Minute)
		if why := r.Reason(); why != "" {
			t.Errorf("an idle reader says %q", why)
		}
		gate.shut(true)
		time.Sleep(10 * time.Second)
		for range 60 {
			if why := r.Reason(); why != "kafka does not answer the reader: asking for the IDs of topics: unable to dial: the gate is shut" {
				t.Fatalf("it says %q", why)
			}
			time.Sleep(time.Second)
		}
		gate.shut(false)
		time.Sleep(10 * time.Second)
		if why := r.Reason(); why != "" {
			t.Errorf("Kafka is back, and it says %q", why)
		}
		gate.shut(true)
		time.Sleep(10 * time.Second)
		if r.Reason() == "" {
			t.Error("it says nothing")
		}
		feed.Close()
		time.Sleep(time.Second)
		if why := r.Reason(); why != "" {
			t.Errorf("nothing is open, and it says %q", why)
		}
		gate.shut(false)
	})
}

// A group that is away has no place for a worker, whether it had partitions or
// not, until it tells the worker of its assignment.
func TestGroupSaysThatItHasNoPlace(t *testing.T) {
	f := onTCP(t, fastGroups)
	f.topic("t", 1, nil)
	gate := &gate{dial: new(net.Dialer).DialContext}
	f.config.Dialer = gate.Dial
	owner := run(t, f.group("", nil))
	owner.await(1, 1)
	spare := run(t, f.group("", nil))
	spare.await(0, 1)
	if owner.Reason() != "" || spare.Reason() != "" {
		t.Errorf("in a healthy group the owner says %q, the spare worker %q", owner.Reason(), spare.Reason())
	}
	gate.shut(true)
	for _, r := range []*running{owner, spare} {
		r.says("the consumer group has no place for this worker: unable to dial: the gate is shut")
	}
	owner.await(0, 1)
	gate.shut(false)
	owner.says("")
	spare.says("")
}

// says waits until the assigner gives that reason.
func (r *running) says(want string) {
	r.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); r.Reason() != want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("it says %q, want %q", r.Reason(), want)
		}
	}
}

// A member that has lost its group is told of the next assignment, be it of
// nothing.
func TestLostMemberIsToldAgain(t *testing.T) {
	o := newOwner(t)
	m := newMember(t.Context(), o.listener(), newOutage(new(logLines)))
	m.onAssigned(t.Context(), nil, map[string][]int32{"t": {0}})
	m.onAssigned(t.Context(), nil, nil)
	o.await(1, 1)
	m.onLost(t.Context(), nil, map[string][]int32{"t": {0}})
	m.onAssigned(t.Context(), nil, nil)
	m.onAssigned(t.Context(), nil, nil)
	if owned, assigned, _ := o.count(); owned != 0 || assigned != 2 {
		t.Errorf("%d owned, %d assigned", owned, assigned)
	}
}

// The end of a client and a fence, which ends the worker, are no outages.
func TestEndOfAMembershipIsNoOutage(t *testing.T) {
	for _, err := range []error{kgo.ErrClientClosed, kerr.FencedInstanceID, kerr.UnknownMemberID} {
		m := newMember(t.Context(), Listener{}, newOutage(new(logLines)))
		m.OnGroupManageError(err)
		if why := m.outage.reason(); (why != "") != errors.Is(err, kerr.UnknownMemberID) {
			t.Errorf("after %v it says %q", err, why)
		}
	}
}

// What is wrong with a topic is logged. The client does not say when it is over,
// and a member keeps its place.
func TestMemberWithoutARightToATopicHasItsPlace(t *testing.T) {
	f := onTCP(t, fastGroups)
	f.topic("t", 1, nil)
	f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Topic: "t", Err: kerr.TopicAuthorizationFailed})
	var log logLines
	g := run(t, f.group("", log.logger()))
	g.await(1, 1)
	for deadline := time.Now().Add(30 * time.Second); log.String() == ""; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is logged")
		}
	}
	if why := g.Reason(); why != "" {
		t.Errorf("it says %q", why)
	}
	log.check(t, "WARN the consumer group has no place for this worker: waiting")
}
