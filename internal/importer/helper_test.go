package importer

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/streamstest"
)

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
