package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// missingLooks is how many looks in a row may find no such topic. A broker that
// has just started does not know every topic yet.
const missingLooks = 3

// present returns the questions about topics that are there and are those that
// reading began with, and has the others fail. The client itself says nothing of
// a topic that is deleted while it reads another one: it asks for it again, at
// once and for ever.
func (r *Reader) present(ctx context.Context, qs []question) ([]question, error) {
	ids, err := r.topicIDs(ctx, qs)
	if err != nil {
		return nil, err
	}
	var rest []question
	var waits error
	for _, q := range qs {
		topic := q.feed.partition.Topic
		id, ok := ids[topic]
		switch {
		case !ok && r.missed(q.feed) < missingLooks:
			waits = fmt.Errorf("asking for topic %s: %w", topic, kerr.UnknownTopicOrPartition)
		case !ok:
			r.post(func() { r.fail(q.feed, reason(kerr.UnknownTopicOrPartition)) })
		case r.identity(topic, id) != id:
			r.post(func() { r.fail(q.feed, reason(kerr.InconsistentTopicID)) })
		default:
			rest = append(rest, q)
		}
	}
	return rest, waits
}

// missed counts the looks in a row that found no topic.
func (r *Reader) missed(f *Feed) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.missing++
	return f.missing
}

// identity returns the ID that the topic had when it was seen first. Only the
// watcher calls it.
func (r *Reader) identity(topic string, id [16]byte) [16]byte {
	if id == ([16]byte{}) {
		return id // not told: the topic may not be looked at, or the cluster has no IDs
	}
	if first, ok := r.ids[topic]; ok {
		return first
	}
	r.ids[topic] = id
	return id
}

// topicIDs returns the IDs of the topics that exist, all zero in a cluster that
// has none.
func (r *Reader) topicIDs(ctx context.Context, qs []question) (map[string][16]byte, error) {
	req := kmsg.NewPtrMetadataRequest()
	asked := make(map[string]bool)
	for _, q := range qs {
		if name := q.feed.partition.Topic; !asked[name] {
			asked[name] = true
			topic := kmsg.NewMetadataRequestTopic()
			topic.Topic = &name
			req.Topics = append(req.Topics, topic)
		}
	}
	resp, err := req.RequestWith(ctx, r.client)
	if err != nil {
		return nil, fmt.Errorf("asking for the IDs of topics: %w", err)
	}
	ids := make(map[string][16]byte, len(resp.Topics))
	for _, t := range resp.Topics {
		if t.Topic != nil && t.ErrorCode != kerr.UnknownTopicOrPartition.Code {
			ids[*t.Topic] = t.TopicID // what else is wrong with it is told by its offsets
		}
	}
	return ids, nil
}
