package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/compaction"
	"github.com/millrace/millrace/streams/state"
)

// TestEverythingOfASnapshotIsCompared: one that is wrong in one way only is found.
func TestEverythingOfASnapshotIsCompared(t *testing.T) {
	right := state.Entry{Offset: 7, Version: 3, Value: []byte("a")}
	for what, snapshot := range map[string]state.Entry{
		"":        right,
		"offset":  {Offset: 8, Version: 3, Value: []byte("a")},
		"version": {Offset: 7, Version: 2, Value: []byte("a")},
		"gone":    {Offset: 7, Version: 3, Value: []byte("a"), Gone: true},
		"state":   {Offset: 7, Version: 3, Value: []byte("b")},
	} {
		v := &verifier{fold: &compaction.Fold{Name: "order"}, codec: new(avro.Codec)}
		c := newComparison(0)
		for store, e := range map[*state.Memory]state.Entry{c.snapshots: snapshot, c.events: right} {
			if err := store.Put([]byte("order-1"), e); err != nil {
				t.Fatal(err)
			}
		}
		err := v.compare(streams.Partition{Topic: "orders"}, c, func(a, b []byte) (bool, error) { return bytes.Equal(a, b), nil })
		if err != nil || v.streams != 1 || (v.differ == 1) != (what != "") {
			t.Errorf("another %s: %d of %d differ, %v", what, v.differ, v.streams, err)
		}
	}
}

func TestAReportIsShort(t *testing.T) {
	v := &verifier{fold: &compaction.Fold{Name: "order"}, partitions: 1}
	for i := range 23 {
		v.streams++
		v.differs(streams.Partition{Topic: "orders"}, fmt.Appendf(nil, "order-%d", i), "none", "some\x1b[0m")
	}
	got := v.report()
	if !strings.HasSuffix(got, "… and 3 more\norder: 23 streams of 1 partition compared, 23 wrong\n") || strings.Count(got, " in orders/0\n") != maxDifferences {
		t.Error(got)
	}
}

// TestASampleIsTheSameWhereverItIsTaken: it is made of the streams with the smallest
// hashes, and what it has of them it has had from the first time on.
func TestASampleIsTheSameWhereverItIsTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 5).Draw(t, "size")
		seen := rapid.SliceOf(rapid.SampledFrom(strings.Split("a b c d e f g h i j k l", " "))).Draw(t, "streams")
		counted := map[string]int{} // of the chosen: how often they were met
		s := newSample(size, func(stream []byte) { delete(counted, string(stream)) })
		times := map[string]int{}
		for _, stream := range seen {
			times[stream]++
			if s.has([]byte(stream)) {
				counted[stream]++
			}
		}
		if want := min(size, len(times)); len(counted) != want || len(s.chosen) != want {
			t.Fatalf("%d of %d streams are chosen, want %d", len(counted), len(times), want)
		}
		for stream, n := range counted {
			if n != times[stream] {
				t.Errorf("%s was met %d times, and counted %d", stream, times[stream], n)
			}
		}
		slices.Reverse(seen)
		again := newSample(size, func([]byte) {})
		again.seed = s.seed
		for _, stream := range seen {
			again.has([]byte(stream))
		}
		if !slices.Equal(again.chosen, s.chosen) {
			t.Errorf("chosen %v, in another order %v", s.chosen, again.chosen)
		}
	})
}

func TestSizesAreLegible(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 5 << 30: "5.0 GiB", 5 << 50: "5120.0 TiB"} {
		if got := sizeText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
