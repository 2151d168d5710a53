package main

import (
	"testing"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/projection"
)

// seen returns partitions of orders whose owners were seen that long ago; 0 is
// never.
func seen(ago ...time.Duration) (all []projection.PartitionStatus) {
	for n, d := range ago {
		p := projection.PartitionStatus{Partition: streams.Partition{Topic: "orders", Partition: int32(n)}, Position: 5}
		if d > 0 {
			p.Seen = time.Now().Add(-d)
		}
		all = append(all, p)
	}
	return all
}

func TestStatusNotesWhatNobodyWorksOn(t *testing.T) {
	const now, before = time.Second, time.Hour
	for _, c := range []struct {
		partitions []projection.PartitionStatus
		owned      int
		want       string
	}{
		{seen(now, now), 2, ""},
		{seen(now, before, 0), 1, "no owner of orders/1, orders/2 was seen for 15s: stopped, or no worker runs; see its log and /readyz"},
		{seen(0, 0, 0, 0), 0, "no owner of 4 partitions was seen for 15s: stopped, or no worker runs; see its log and /readyz"},
	} {
		var v viewStatus
		v.addPartitions(c.partitions)
		if v.noteIdle(); v.Note != c.want || v.Owned != c.owned {
			t.Errorf("%d owned, %q; want %d, %q", v.Owned, v.Note, c.owned, c.want)
		}
	}
}

func TestStatusNotesLoads(t *testing.T) {
	var v viewStatus
	partitions := seen(time.Second, time.Second, time.Second)
	partitions[1].Position, partitions[1].Loading = projection.Absent, "load:7:-:6"
	v.addPartitions(partitions)
	if v.noteLoading(); v.Note != "loading snapshots of 1 partition" {
		t.Errorf("got %q", v.Note)
	}
	for n, want := range []string{"5", "load:7:-:6", "5"} {
		if got := v.partitionLines()[n][2]; got != want {
			t.Errorf("partition %d: %q, want %q", n, got, want)
		}
	}
}

func TestStatusNotesLostEvents(t *testing.T) {
	var v viewStatus
	v.addPartitions(seen(time.Second, time.Second))
	stable := map[streams.Partition]int64{v.Partitions[0].id: 5, v.Partitions[1].id: 4}
	if v.fill(stable, nil, nil, time.Now()); v.Note != "orders/1 is beyond the end of the log: Kafka has lost events" {
		t.Errorf("got %q", v.Note)
	}
}
