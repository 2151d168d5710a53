package projection

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
)

// deleteUntil deletes the first events of a partition.
func (l *lab) deleteUntil(p int32, offset int64) {
	l.t.Helper()
	before := kadm.Offsets{}
	before.AddOffset(l.topic, p, offset, -1)
	if _, err := l.Kafka.Admin().DeleteRecords(l.t.Context(), before); err != nil {
		l.t.Fatal(err)
	}
}

// TestDeletedEventsAreInTheSnapshots.
func TestDeletedEventsAreInTheSnapshots(t *testing.T) {
	onSnapshots(t, func(k *keeper) {
		k.payPartition(0, 20)
		k.payPartition(1, 20)
		k.flush(0, 20)
		k.deleteUntil(0, 20)
		w := k.start(nil)
		k.payPartition(0, 10)
		k.untilApplied()
		k.keep()
		if rows := k.rows(k.views[0]); stopped(w, 0) != nil || !maps.EqualFunc(rows, k.folded(), maps.Equal) {
			k.t.Errorf("stopped by %v with rows\n%v\nwant\n%v", stopped(w, 0), rows, k.folded())
		}
	})
}

// TestDeletedEventsAreInNoSnapshot: the partition stops, and nothing says that it
// was loaded. It goes on once there are snapshots that have them.
func TestDeletedEventsAreInNoSnapshot(t *testing.T) {
	for _, reach := range []int64{0, 5} {
		t.Run(fmt.Sprint(reach), func(t *testing.T) {
			onSnapshots(t, func(k *keeper) {
				k.payPartition(0, 20)
				k.payPartition(1, 20)
				if reach > 0 {
					k.flush(0, reach)
				}
				later := k.fold(0, 20)
				k.deleteUntil(0, reach+1)
				w := k.start(nil)
				k.until("stopped partition", func() bool { return stopped(w, 0) != nil && k.position(k.views[0], 1) == 20 })
				words := fmt.Sprintf("reach to offset %d of %s, which begins at %d (retention.ms is -1)", reach, k.at(0), reach+1)
				if err := stopped(w, 0); !errors.Is(err, snapshot.ErrUnusable) || !strings.Contains(err.Error(), words) || k.following(0) {
					k.t.Errorf("stopped by %v with position %d, want %s", err, k.position(k.views[0], 0), words)
				}
				w.stop()
				k.put(0, later)
				k.start(nil)
				k.untilStable()
				k.fold(1, 20)
				if rows := k.rows(k.views[0]); !maps.EqualFunc(rows, k.folded(), maps.Equal) {
					k.t.Errorf("rows\n%v\nwant\n%v", rows, k.folded())
				}
			})
		})
	}
}

// TestDeletedEventsAreReplayed: a view that must read them is refused, and with it
// those that need not.
func TestDeletedEventsAreReplayed(t *testing.T) {
	for name, views := range map[string]string{"by all": replayView, "by one": snapshotView + replayView} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newLab(t, views).keeper()
				k.payPartition(0, 20)
				k.flush(0, 20)
				k.deleteUntil(0, 20)
				w := k.start(nil)
				k.until("end", func() bool { return len(w.done) > 0 })
				err := w.stop()
				if !errors.Is(err, kafka.ErrRetention) || !strings.Contains(err.Error(), "partition 0 begins at offset 20 (retention.ms is -1)") {
					t.Errorf("it left with %v", err)
				}
			})
		})
	}
}
