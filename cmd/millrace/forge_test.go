package main

import (
	"context"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
)

// forge TOPIC STREAM [OTHER] writes the snapshot of another stream as that of a
// stream; where there is no such snapshot, OTHER itself as a record that is none.
// Without OTHER it writes that nothing is known of the stream.
func forge(ts *testscript.TestScript, _ bool, args []string) {
	cfg := kafka.Config{Brokers: []string{ts.Getenv("MILLRACE_KAFKA")}}
	topic, err := snapshot.Open(context.Background(), cfg, "orders", args[0])
	ts.Check(err)
	defer topic.Close()
	forged := kafka.OutRecord{Key: []byte(args[1])}
	if len(args) == 3 {
		forged.Value = []byte(args[2])
		p := streams.PartitionOf(forged.Value, topic.Source.Partitions)
		_, err := snapshot.Resync(context.Background(), topic, snapshot.Options{Partition: p}, func(r *snapshot.Record) error {
			if string(r.Stream) == args[2] {
				forged = snapshot.Encode(forged.Key, r.Entry)
			}
			return nil
		})
		ts.Check(err)
	}
	session, err := kafka.OpenSession(context.Background(), cfg, topic.Partition(streams.PartitionOf(forged.Key, topic.Source.Partitions)))
	ts.Check(err)
	defer session.Close()
	ts.Check(session.Write(context.Background(), []kafka.OutRecord{forged}))
}

// trim TOPIC PARTITION OFFSET deletes what is before an offset.
func trim(ts *testscript.TestScript, _ bool, args []string) {
	partition, err := strconv.ParseInt(args[1], 10, 32)
	ts.Check(err)
	offset, err := strconv.ParseInt(args[2], 10, 64)
	ts.Check(err)
	client, err := kgo.NewClient(kgo.SeedBrokers(ts.Getenv("MILLRACE_KAFKA")))
	ts.Check(err)
	defer client.Close()
	var before kadm.Offsets
	before.Add(kadm.Offset{Topic: args[0], Partition: int32(partition), At: offset})
	_, err = kadm.NewClient(client).DeleteRecords(context.Background(), before)
	ts.Check(err)
}
