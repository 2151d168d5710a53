package kafka

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Rule 12: the brokers know best how many replicas there are to be.
func TestCreateTopicLeavesTheReplicasToTheBroker(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		left := f.cluster.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.CreateTopics}, Observe: true, Count: -1,
			When: func(req kmsg.Request) bool { return req.(*kmsg.CreateTopicsRequest).Topics[0].ReplicationFactor == -1 },
		})
		a := f.admin()
		defer a.Close()
		if err := a.CreateTopic(t.Context(), TopicSpec{Name: "t", Partitions: 2}); err != nil || left.Hits() == 0 {
			t.Errorf("CreateTopic: %v, %d requests that leave it to the broker", err, left.Hits())
		}
	})
}

// Rule 12: a new topic can be used when CreateTopic returns.
func TestCreateTopicAwaitsLeaders(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		electing := f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "t", Err: kerr.LeaderNotAvailable, Count: 20})
		a := f.admin()
		defer a.Close()
		if err := a.CreateTopic(t.Context(), TopicSpec{Name: "t", Partitions: 2}); err != nil || electing.Hits() < 20 {
			t.Errorf("CreateTopic: %v, after %d answers without a leader", err, electing.Hits())
		}
	})
}

// Brokers that start one by one are too few at first; where they stay too few the
// error says what to do.
func TestCreateTopicSaysThatBrokersAreMissing(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.InvalidReplicationFactor})
		a := f.admin()
		defer a.Close()
		spec := TopicSpec{Name: "t", Partitions: 2}
		err := a.CreateTopic(t.Context(), spec)
		if !Waits(err) || !errors.Is(err, kerr.InvalidReplicationFactor) ||
			!strings.HasSuffix(err.Error(), "; start the brokers that are missing, or lower default.replication.factor") {
			t.Errorf("CreateTopic: %v", err)
		}
		if err := a.CreateTopic(t.Context(), spec); err != nil {
			t.Errorf("CreateTopic, once they have started: %v", err)
		}
	})
}
