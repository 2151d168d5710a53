package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

// questionRetries is how often the client itself repeats a question: enough for
// a leader that has moved, so that its caller learns soon that nobody answers.
const questionRetries = 3

// place is a place in a log that has an offset.
type place struct {
	timestamp int64 // Kafka's name for the place
	isolation int8
}

var (
	atStart     = place{timestamp: -2}
	atStableEnd = place{timestamp: -1, isolation: 1} // the last stable offset
	atEnd       = place{timestamp: -1}               // the high watermark
)

// listed is the answer about one partition.
type listed struct {
	offset int64
	err    error
}

// listOffsets asks the leaders. Every partition has an answer, be it an error.
func listOffsets(ctx context.Context, client *kgo.Client, ps []streams.Partition, at place) map[streams.Partition]listed {
	answers := make(map[streams.Partition]listed, len(ps))
	if len(ps) == 0 {
		return answers
	}
	var failed error
	for _, shard := range client.RequestSharded(ctx, offsetsRequest(ps, at)) {
		if shard.Err != nil {
			failed = shard.Err
			continue
		}
		for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				answers[streams.Partition{Topic: t.Topic, Partition: p.Partition}] = listed{p.Offset, kerr.ErrorForCode(p.ErrorCode)}
			}
		}
	}
	for _, p := range ps {
		if l, ok := answers[p]; !ok || l.err != nil {
			err := l.err
			if !ok {
				err = failed
			}
			if err == nil {
				err = kerr.UnknownTopicOrPartition
			}
			answers[p] = listed{err: fmt.Errorf("asking for an offset of %s: %w", p, noTopic(err))}
		}
	}
	return answers
}

func offsetsRequest(ps []streams.Partition, at place) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	req.IsolationLevel = at.isolation
	topics := make(map[string]int)
	for _, p := range ps {
		i, ok := topics[p.Topic]
		if !ok {
			i = len(req.Topics)
			topics[p.Topic] = i
			topic := kmsg.NewListOffsetsRequestTopic()
			topic.Topic = p.Topic
			req.Topics = append(req.Topics, topic)
		}
		part := kmsg.NewListOffsetsRequestTopicPartition()
		part.Partition = p.Partition
		part.Timestamp = at.timestamp
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, part)
	}
	return req
}
