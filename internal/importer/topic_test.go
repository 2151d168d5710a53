package importer

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/streamstest"
)

func TestPartitionsOfAnExistingTopic(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		k.CreateTopic(topic, 3, nil)
		o, _ := options(k, writeFile(t, lineOf("fine-1", 1)))
		o.Partitions = 12
		_, err := Run(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), "topic fines has 3 partitions, not 12") {
			t.Errorf("Run: %v", err)
		}
		o.Partitions = 0
		if _, err := Run(t.Context(), o); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// Whoever cannot know a stream's versions must not write.
func TestTopicOfSomebodyElseIsRefused(t *testing.T) {
	foreign := map[string]struct {
		change func(r *streams.Record)
		want   string
	}{
		"no headers":      {func(r *streams.Record) { r.Headers = nil }, "record fines/1/0: header ce_type is missing"},
		"wrong partition": {func(r *streams.Record) { r.Partition = (r.Partition + 1) % 2 }, "belongs into partition"},
	}
	for name, f := range foreign {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, k *streamstest.Kafka) {
				k.CreateTopic(topic, 2, nil)
				r := k.Record(topic, streamstest.Event{Stream: "fine-1", Type: "FineCreated", Value: []byte("x")})
				f.change(r)
				k.ProduceRecords(r)
				o, _ := options(k, writeFile(t, lineOf("fine-9", 1)))
				if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), f.want) {
					t.Errorf("Run: %v", err)
				}
			})
		})
	}
}

func TestDeletedBeginningIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		file := writeFile(t, lineOf("fine-1", 1), lineOf("fine-1", 2))
		importFile(t, k, file)
		deleteFirst(t, k)
		o, _ := options(k, file)
		if _, err := Run(t.Context(), o); !errors.Is(err, kafka.ErrRetention) {
			t.Errorf("Run: %v", err)
		}
		o.TopicConfig.AcceptRetention = true // does not tell which versions there were
		_, err := Run(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), "begins at offset 1: events before it were deleted") {
			t.Errorf("Run: %v", err)
		}
	})
}

// deleteFirst deletes the first record of the partition of fine-1.
func deleteFirst(t *testing.T, k *streamstest.Kafka) {
	t.Helper()
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: streams.PartitionOf([]byte("fine-1"), DefaultPartitions), At: 1, LeaderEpoch: -1})
	deleted, err := k.Admin().DeleteRecords(t.Context(), offsets)
	if err != nil {
		t.Fatal(err)
	}
	deleted.Each(func(d kadm.DeleteRecordsResponse) {
		if d.Err != nil {
			t.Fatal(d.Err)
		}
	})
}

// Rule 12: fewer than three replicas are warned of, at once.
func TestNewTopicWithFewReplicasIsWarnedOf(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		o, _ := options(k, writeFile(t, lineOf("fine-1", 1)))
		var log strings.Builder
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		if _, err := Run(t.Context(), o); err != nil || !strings.Contains(log.String(), "topic fines has a replication factor of 1") {
			t.Errorf("Run: %v, logged %q", err, log.String())
		}
	})
}

// What the broker refuses ends the import, with what to do.
func TestRefusedImportStops(t *testing.T) {
	for _, key := range []kmsg.Key{kmsg.InitProducerID, kmsg.Produce} {
		bubble(t, func(t *testing.T, k *streamstest.Kafka) {
			k.Server().Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.TransactionalIDAuthorizationFailed, Count: -1})
			o, _ := options(k, writeFile(t, lineOf("fine-1", 1)))
			_, err := Run(t.Context(), o)
			if !errors.Is(err, kafka.ErrRefused) || !strings.Contains(err.Error(), "ACLs say, then import again") {
				t.Errorf("%s: %v", key.Name(), err)
			}
		})
	}
}

// A broker may not have heard yet of the topic that was created a moment ago.
func TestNewTopicThatABrokerHasNotHeardOf(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		there := k.Server().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Observe: true, Count: -1})
		k.Server().ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
			time.Sleep(time.Second) // what was heard is forgotten
			return nil, nil, false
		})
		unheard := k.Server().Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Metadata}, Topic: topic, Err: kerr.UnknownTopicOrPartition,
			When: func(kmsg.Request) bool { return there.Hits() > 0 },
		})
		importFile(t, k, writeFile(t, lineOf("fine-1", 1)))
		if unheard.Hits() != 1 {
			t.Errorf("%d answers that it does not exist", unheard.Hits())
		}
	})
}
