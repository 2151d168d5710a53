package kafka

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

// probed is what a probe found.
type probed struct {
	next    int64
	records bool  // there is a record at next
	epoch   int32 // of the leader that wrote what is before next
}

// probe sends one fetch of its own and returns how far a position may move over
// offsets that are never delivered: up to the first record, which the client is
// about to deliver, or else to where the fetch ended. The client itself skips
// them without a word.
func (r *Reader) probe(ctx context.Context, p streams.Partition, position int64) (probed, error) {
	leader, id, err := r.leader(ctx, p)
	if err != nil {
		return probed{}, err
	}
	resp, err := r.client.Broker(int(leader)).Request(ctx, r.probeRequest(p, id, position))
	if err != nil {
		return probed{}, fmt.Errorf("probing %s: %w", p, err)
	}
	topics := resp.(*kmsg.FetchResponse).Topics
	if len(topics) != 1 || len(topics[0].Partitions) != 1 {
		return probed{}, fmt.Errorf("probing %s: the answer is about %d topics, not one", p, len(topics))
	}
	batches := topics[0].Partitions[0].RecordBatches
	fetched, end := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true,
		Offset:             position,
		IsolationLevel:     kgo.ReadCommitted(),
		Topic:              p.Topic,
		Partition:          p.Partition,
	}, &topics[0].Partitions[0], kgo.DefaultDecompressor(), nil)
	found := probed{next: end}
	if len(fetched.Records) > 0 {
		found.next, found.records = fetched.Records[0].Offset, true
	} else if fetched.Err != nil {
		return probed{}, fmt.Errorf("probing %s: %w", p, fetched.Err)
	}
	found.epoch = epochBefore(batches, found.next)
	return found, nil
}

// epochBefore is the epoch of the leader that wrote the last of the batches that
// begins before an offset. The first fields of a batch are its offset, the
// length of what follows, and the epoch.
func epochBefore(batches []byte, offset int64) int32 {
	epoch := int32(-1)
	for len(batches) >= 16 && int64(binary.BigEndian.Uint64(batches)) < offset {
		epoch = int32(binary.BigEndian.Uint32(batches[12:]))
		length := 12 + int(binary.BigEndian.Uint32(batches[8:]))
		batches = batches[min(length, len(batches)):]
	}
	return epoch
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
