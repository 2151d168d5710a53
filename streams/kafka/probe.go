package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

// probe sends one fetch of its own and returns how far a position may move over
// offsets that are never delivered: up to the first record, which the client is
// about to deliver, or else to where the fetch ended. The client itself skips
// them without a word. Records says that there is a record at next.
func (r *Reader) probe(ctx context.Context, p streams.Partition, position int64) (next int64, records bool, err error) {
	leader, id, err := r.leader(ctx, p)
	if err != nil {
		return 0, false, err
	}
	resp, err := r.client.Broker(int(leader)).Request(ctx, r.probeRequest(p, id, position))
	if err != nil {
		return 0, false, fmt.Errorf("probing %s: %w", p, err)
	}
	topics := resp.(*kmsg.FetchResponse).Topics
	if len(topics) != 1 || len(topics[0].Partitions) != 1 {
		return 0, false, fmt.Errorf("probing %s: the answer is about %d topics, not one", p, len(topics))
	}
	fetched, end := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true,
		Offset:             position,
		IsolationLevel:     kgo.ReadCommitted(),
		Topic:              p.Topic,
		Partition:          p.Partition,
	}, &topics[0].Partitions[0], kgo.DefaultDecompressor(), nil)
	if len(fetched.Records) > 0 {
		return fetched.Records[0].Offset, true, nil
	}
	if fetched.Err != nil {
		return 0, false, fmt.Errorf("probing %s: %w", p, fetched.Err)
	}
	return end, false, nil
}

// leader returns the leader of a partition and its topic's ID.
func (r *Reader) leader(ctx context.Context, p streams.Partition) (int32, [16]byte, error) {
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &p.Topic
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, r.client)
	if err != nil {
		return 0, [16]byte{}, fmt.Errorf("finding the leader of %s: %w", p, err)
	}
	for _, t := range resp.Topics {
		for _, part := range t.Partitions {
			if part.Partition == p.Partition {
				return part.Leader, t.TopicID, kerr.ErrorForCode(part.ErrorCode)
			}
		}
	}
	return 0, [16]byte{}, fmt.Errorf("finding the leader of %s: %w", p, kerr.UnknownTopicOrPartition)
}

// probeRequest is a fetch outside of any session that waits for nothing.
func (r *Reader) probeRequest(p streams.Partition, id [16]byte, position int64) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes = r.opts.MaxPartitionBytes
	req.IsolationLevel = 1
	req.SessionEpoch = -1
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = p.Topic, id
	part := kmsg.NewFetchRequestTopicPartition()
	part.Partition = p.Partition
	part.FetchOffset = position
	part.PartitionMaxBytes = r.opts.MaxPartitionBytes
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	return req
}
