package streamstest

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// Event is an event to write. Only Stream and Type are required.
type Event struct {
	Stream streams.StreamID
	Type   string
	// Value is the data as it stands in the record. Default: empty, not null.
	Value []byte
	// ContentType is that of the value. Default: application/avro.
	ContentType string
	// Version is the number of the event in its stream. Default: the next, of
	// those that this Kafka has written.
	Version int64
	// Time is when it happened, in RFC 3339. Default: 2026-01-01T00:00:00Z and
	// one second for each version.
	Time string
	// ID is the event's own. Default: made of topic, stream and version, so that
	// it is the same in every run.
	ID string
	// Correlation and Causation are IDs of other events. Default: its own ID, and
	// none.
	Correlation, Causation string
}

type streamKey struct {
	topic  string
	stream streams.StreamID
}

// Record returns the record of an event: its key, partition and headers are
// those that Millrace writes.
func (k *Kafka) Record(topic string, e Event) *streams.Record {
	k.t.Helper()
	return k.record(topic, k.partitions(topic), e)
}

func (k *Kafka) record(topic string, partitions int32, e Event) *streams.Record {
	version := k.version(streamKey{topic, e.Stream}, e.Version)
	head := head(topic, version, e)
	value := e.Value
	if value == nil {
		value = []byte{}
	}
	return &streams.Record{
		Topic:     topic,
		Partition: streams.PartitionOf([]byte(e.Stream), partitions),
		Key:       []byte(e.Stream),
		Value:     value,
		Headers:   head.Headers(),
	}
}

// head is what the headers of an event say.
func head(topic string, version int64, e Event) streams.Event {
	head := streams.Event{
		ID:          e.ID,
		Type:        e.Type,
		Source:      "streamstest",
		Stream:      e.Stream,
		Time:        e.Time,
		Sequence:    streams.FormatSequence(version),
		Correlation: e.Correlation,
		Causation:   e.Causation,
		ContentType: cmp.Or(e.ContentType, streams.ContentTypeAvro),
	}
	if head.Time == "" {
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		head.Time = start.Add(time.Duration(version-1) * time.Second).Format(time.RFC3339)
	}
	if head.ID == "" {
		name := fmt.Sprintf("%s/%s/%d", topic, e.Stream, version)
		head.ID = uuid.NewSHA1(uuid.NameSpaceOID, []byte(name)).String()
	}
	head.Correlation = cmp.Or(head.Correlation, head.ID)
	return head
}

// version returns the version that was given, or the next of the stream.
func (k *Kafka) version(stream streamKey, given int64) int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	version := given
	if version == 0 {
		version = max(1, k.next[stream])
	}
	k.next[stream] = version + 1
	return version
}

func (k *Kafka) partitions(topic string) int32 {
	k.t.Helper()
	details, err := k.admin.ListTopics(context.Background(), topic)
	if err == nil {
		err = details.Error()
	}
	if err != nil {
		k.t.Fatalf("streamstest: reading the partitions of %s: %v", topic, err)
	}
	return int32(len(details[topic].Partitions))
}

// Produce writes events, in order, without a transaction. It returns where they
// are.
func (k *Kafka) Produce(topic string, events ...Event) []*streams.Record {
	k.t.Helper()
	records := k.records(topic, events)
	k.ProduceRecords(records...)
	return records
}

func (k *Kafka) records(topic string, events []Event) []*streams.Record {
	k.t.Helper()
	partitions := k.partitions(topic)
	records := make([]*streams.Record, len(events))
	for i, e := range events {
		records[i] = k.record(topic, partitions, e)
	}
	return records
}

// ProduceRecords writes records as they are, into the partitions that they
// name, and sets their offsets.
func (k *Kafka) ProduceRecords(records ...*streams.Record) {
	k.t.Helper()
	k.produce(k.client, records)
}

func (k *Kafka) produce(client *kgo.Client, records []*streams.Record) {
	k.t.Helper()
	out := make([]*kgo.Record, len(records))
	for i, r := range records {
		out[i] = &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}
		for _, h := range r.Headers {
			out[i].Headers = append(out[i].Headers, kgo.RecordHeader(h))
		}
	}
	if err := client.ProduceSync(context.Background(), out...).FirstErr(); err != nil {
		k.t.Fatalf("streamstest: writing records: %v", err)
	}
	for i, r := range out {
		records[i].Offset, records[i].Timestamp = r.Offset, r.Timestamp
	}
}
