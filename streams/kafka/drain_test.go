package kafka

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

const (
	drainPartitions = 12
	drainBytes      = 256 << 10
)

// synthetic is a cluster whose partitions never end.
func synthetic(b *testing.B) Config {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(drainPartitions, "t"),
		kfake.SyntheticFetch(kfake.SyntheticBatch{Records: 500, RecordBytes: 190}))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(cluster.Close)
	return Config{Brokers: cluster.ListenAddrs()}
}

// BenchmarkDrainRaw is the yardstick: the client polls and drops the records.
// One operation is a record.
func BenchmarkDrainRaw(b *testing.B) {
	offsets := make(map[int32]kgo.Offset)
	for p := range int32(drainPartitions) {
		offsets[p] = kgo.NewOffset().At(0)
	}
	client, err := kgo.NewClient(synthetic(b).options(
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxPartitionBytes(drainBytes),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"t": offsets}))...)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	b.ReportAllocs()
	for n := 0; n < b.N; {
		n += client.PollFetches(context.Background()).NumRecords()
	}
}

// BenchmarkDrain is the same through feeds.
func BenchmarkDrain(b *testing.B) {
	r, err := NewReader(synthetic(b), ReaderOptions{MaxPartitionBytes: drainBytes})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	defer func() { cancel(); <-done }()
	counts := make(chan int, drainPartitions)
	for p := range int32(drainPartitions) {
		feed := r.Open(streams.Partition{Topic: "t", Partition: p}, 0)
		go func() {
			for batch := range feed.Batches() {
				n := len(batch.Records)
				batch.Release()
				select {
				case counts <- n:
				case <-ctx.Done():
				}
			}
		}()
	}
	b.ReportAllocs()
	for n := 0; n < b.N; {
		n += <-counts
	}
}
