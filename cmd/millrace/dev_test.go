package main

import (
	"testing"

	"github.com/millrace/millrace/internal/devcluster"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/compaction"
	"github.com/millrace/millrace/streams/projection"
)

func TestDevSaysWhatRuns(t *testing.T) {
	views, folds := []*projection.View{{Name: "order"}}, []*compaction.Fold{{Name: "order"}}
	for _, c := range []struct {
		views []*projection.View
		folds []*compaction.Fold
		want  string
	}{
		{nil, nil, ""},
		{views, nil, "the views are hot and follow their topics"},
		{nil, folds, "the snapshots are kept"},
		{views, folds, "the views are hot and follow their topics, the snapshots are kept"},
	} {
		var w whole
		w.Views, w.compactor.Folds = c.views, c.folds
		if got := w.what(); got != c.want {
			t.Errorf("%d views, %d folds: %q, want %q", len(c.views), len(c.folds), got, c.want)
		}
	}
}

// TestEachStartHasTransactionsOfItsOwn: the embedded Kafka does not always know after
// a kill what was under way.
func TestEachStartHasTransactionsOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		var w whole
		c, err := startCluster(t.Context(), &w, devcluster.Options{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		seen[w.compactor.Kafka.TransactionalID(streams.Partition{Topic: "orders.snapshots"})] = true
		if w.compactor.Kafka.Brokers[0] != c.KafkaAddr() {
			t.Errorf("the compactor uses %v", w.compactor.Kafka.Brokers)
		}
	}
	if len(seen) != 2 {
		t.Errorf("two starts have the transactional IDs %v", seen)
	}
}

// TestFoldProgress: a fold is hot when each of its partitions is ready, and its bar
// counts what is loaded, and then what is folded.
func TestFoldProgress(t *testing.T) {
	partition := func(n int32, p compaction.Progress) compaction.Progress {
		p.Fold, p.Partition = "order", streams.Partition{Topic: "orders", Partition: n}
		return p
	}
	loading := partition(0, compaction.Progress{Loaded: 10, LoadEnd: 50, NotReady: "loading snapshots"})
	behind := partition(1, compaction.Progress{Loaded: 50, LoadEnd: 50, Position: 5, Stable: 100, NotReady: "not yet"})
	there := partition(2, compaction.Progress{Loaded: 50, LoadEnd: 50, Position: 100, Stable: 100})
	other := compaction.Progress{Fold: "other", NotReady: "not yet", Stable: 1000}
	for _, c := range []struct {
		all         []compaction.Progress
		done, total int64
		hot         bool
	}{
		{nil, 0, 0, false},
		{[]compaction.Progress{other}, 0, 0, false},
		{[]compaction.Progress{loading, behind, there, other}, 10 + 55 + 150, 50 + 150 + 150, false},
		{[]compaction.Progress{there, other}, 150, 150, true},
	} {
		if v := foldProgress("order", c.all); v.done != c.done || v.total != c.total || v.hot != c.hot {
			t.Errorf("%d of %d, hot %v; want %d of %d, %v", v.done, v.total, v.hot, c.done, c.total, c.hot)
		}
	}
}
