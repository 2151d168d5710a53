package streamstest

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// Read returns the records of a topic that a read-committed reader sees now, by
// partition and in order.
func (k *Kafka) Read(topic string) []*streams.Record {
	k.t.Helper()
	ctx := context.Background()
	starts, err := k.admin.ListStartOffsets(ctx, topic)
	if err != nil {
		k.t.Fatalf("streamstest: listing the first offsets of %s: %v", topic, err)
	}
	ends := k.LSO(topic)
	var all []*streams.Record
	for p := range int32(len(ends)) {
		start, _ := starts.Lookup(topic, p)
		if start.Offset < ends[p] {
			all = append(all, k.readPartition(start, ends[p])...)
		}
	}
	return all
}

const (
	// readTimeout is how long a partition may give nothing: its tail was compacted
	// away.
	readTimeout = time.Minute
	// silence is when reading begins anew: now and then a client does not deliver
	// records that are there.
	silence = 5 * time.Second
)

// readPartition reads up to the end.
func (k *Kafka) readPartition(from kadm.ListedOffset, end int64) (records []*streams.Record) {
	k.t.Helper()
	last := time.Now()
	for from.Offset < end {
		got, next := k.readOn(from, end)
		records = append(records, got...)
		if next > from.Offset {
			from.Offset, last = next, time.Now()
		} else if time.Since(last) >= readTimeout {
			k.t.Fatalf("streamstest: reading %s/%d: nothing comes between %d and %d", from.Topic, from.Partition, next, end)
		}
	}
	return records
}

// readOn reads until the end or until nothing comes, and returns how far it came.
// Control records are kept, so that a tail that holds nothing else is seen, too.
func (k *Kafka) readOn(from kadm.ListedOffset, end int64) (records []*streams.Record, next int64) {
	k.t.Helper()
	client := k.Client(
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
			from.Topic: {from.Partition: kgo.NewOffset().At(from.Offset)},
		}),
	)
	defer client.Close()
	for next = from.Offset; next < end; {
		ctx, cancel := context.WithTimeout(context.Background(), silence)
		fetches := client.PollFetches(ctx)
		silent := ctx.Err() != nil
		cancel()
		if err := fetches.Err(); err != nil && !silent {
			k.t.Fatalf("streamstest: reading %s/%d: %v", from.Topic, from.Partition, err)
		}
		for r := range fetches.RecordsAll() {
			next = r.Offset + 1
			if !r.Attrs.IsControl() && r.Offset < end {
				records = append(records, record(r))
			}
		}
		if silent {
			break
		}
	}
	return records, next
}

func record(r *kgo.Record) *streams.Record {
	out := &streams.Record{
		Topic:     r.Topic,
		Partition: r.Partition,
		Offset:    r.Offset,
		Timestamp: r.Timestamp,
		Key:       r.Key,
		Value:     r.Value,
	}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, streams.Header(h))
	}
	return out
}

// LSO returns the last stable offset of each partition of a topic.
func (k *Kafka) LSO(topic string) map[int32]int64 {
	k.t.Helper()
	listed, err := k.admin.ListCommittedOffsets(context.Background(), topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		k.t.Fatalf("streamstest: listing the last stable offsets of %s: %v", topic, err)
	}
	lso := make(map[int32]int64)
	listed.Each(func(o kadm.ListedOffset) { lso[o.Partition] = o.Offset })
	return lso
}
