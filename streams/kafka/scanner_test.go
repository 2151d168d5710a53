package kafka

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// scanner returns one that is closed with the test.
func (f *fixture) scanner(known ...Topic) *Scanner {
	f.t.Helper()
	s, err := NewScanner(f.config, known...)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(s.Close)
	return s
}

// scanned scans t/0 and returns the offsets of what came.
func (f *fixture) scanned(s *Scanner, from int64) (Pass, []int64) {
	f.t.Helper()
	var offsets []int64
	pass, err := s.Scan(f.t.Context(), p0, from, func(r streams.Record) error {
		offsets = append(offsets, r.Offset)
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return pass, offsets
}

// replace writes a record for each of n keys, one batch each, which compaction
// may remove but for the last.
func (f *fixture) replace(n int) {
	f.t.Helper()
	client := f.client()
	defer client.Close()
	for i := range n {
		r := &kgo.Record{Topic: "t", Key: fmt.Appendf(nil, "k%d", i%2), Value: []byte("v")}
		if err := client.ProduceSync(f.t.Context(), r).FirstErr(); err != nil {
			f.t.Fatal(err)
		}
	}
}

// A pass is whole if every offset of its range brought something: markers do,
// aborted records and those that compaction has removed do not.
func TestPassKnowsWhatItDidNotSee(t *testing.T) {
	for name, tt := range map[string]struct {
		history func(f *fixture)
		from    int64
		want    Pass
		whole   bool
	}{
		"nothing":          {func(*fixture) {}, 0, Pass{Settled: true}, true},
		"records":          {func(f *fixture) { f.produce(p0, 5) }, 0, Pass{End: 5, Next: 5, Delivered: 5, Settled: true}, true},
		"nothing new":      {func(f *fixture) { f.produce(p0, 5) }, 5, Pass{From: 5, End: 5, Next: 5, Settled: true}, true},
		"markers":          {func(f *fixture) { f.transaction(p0, 3)(kgo.TryCommit) }, 0, Pass{End: 4, Next: 4, Delivered: 4, Settled: true}, true},
		"aborted":          {func(f *fixture) { f.produce(p0, 1); f.transaction(p0, 3)(kgo.TryAbort) }, 0, Pass{End: 5, Next: 5, Delivered: 2, Settled: true}, false},
		"aborted, behind":  {func(f *fixture) { f.transaction(p0, 3)(kgo.TryAbort); f.produce(p0, 1) }, 3, Pass{From: 3, End: 5, Next: 5, Delivered: 2, Settled: true}, true},
		"open transaction": {func(f *fixture) { f.produce(p0, 2); f.abandon(3) }, 0, Pass{End: 2, Next: 2, Delivered: 2}, true},
		"only an open one": {func(f *fixture) { f.abandon(3) }, 0, Pass{}, true},
		"within a batch":   {func(f *fixture) { f.batch(4) }, 2, Pass{From: 2, End: 4, Next: 4, Delivered: 2, Settled: true}, true},
		"compacted": {func(f *fixture) { f.produce(p0, 1); f.replace(6); f.cluster.Compact() }, 0,
			Pass{End: 7, Next: 7, Delivered: 4, Settled: true}, false}, // k, the last k1, and k0 in the last batch and before
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				f.topic("t", 1, map[string]string{"cleanup.policy": "compact"})
				tt.history(f)
				pass, offsets := f.scanned(f.scanner(), tt.from)
				pass.Began, pass.Took = time.Time{}, 0
				if pass != tt.want || pass.Whole() != tt.whole {
					t.Errorf("%+v, whole %t, with records at %d", pass, pass.Whole(), offsets)
				}
			})
		})
	}
}

// abandon leaves a transaction open.
func (f *fixture) abandon(n int) {
	f.t.Helper()
	client := f.client(kgo.TransactionalID("abandoned"))
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		f.t.Fatal(err)
	}
	f.produceBy(client, p0, n)
}

// batch writes n records in one batch.
func (f *fixture) batch(n int) {
	f.t.Helper()
	client := f.client(kgo.ProducerLinger(time.Second))
	defer client.Close()
	var records []*kgo.Record
	for range n {
		records = append(records, &kgo.Record{Topic: "t", Value: []byte("v")})
	}
	if err := client.ProduceSync(f.t.Context(), records...).FirstErr(); err != nil {
		f.t.Fatal(err)
	}
}

// The end may be within a batch: what is behind it is neither handed out nor
// counted.
func TestScanEndsWithinABatch(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.batch(5)
		var offsets []int64
		s := &scan{client: f.scanner().client, partition: p0, position: 1, end: 3, fn: func(r streams.Record) error {
			offsets = append(offsets, r.Offset)
			return nil
		}}
		if err := s.run(t.Context()); err != nil || s.delivered != 2 || !slices.Equal(offsets, []int64{1, 2}) {
			t.Errorf("%d delivered, %d: %v", s.delivered, offsets, err)
		}
	})
}

// wires are what a record may be like on the wire.
func (f *fixture) wires(p streams.Partition) {
	f.t.Helper()
	big := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(big)
	for i, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
		client := f.client(kgo.ProducerBatchCompression(codec), kgo.ProducerBatchMaxBytes(2<<20))
		for _, value := range [][]byte{nil, {}, []byte(strings.Repeat("text ", 100)), big} {
			r := &kgo.Record{Topic: p.Topic, Partition: p.Partition, Key: []byte("k"), Value: value}
			if err := client.ProduceSync(f.t.Context(), r).FirstErr(); err != nil {
				f.t.Fatal(i, err)
			}
		}
		client.Close()
	}
}

// scanWires checks them: a value that is empty is not null.
func (f *fixture) scanWires(p streams.Partition) {
	f.t.Helper()
	pass, err := f.scanner().Scan(f.t.Context(), p, 0, func(r streams.Record) error {
		want := []int{-1, 0, 500, 1 << 20}[r.Offset%4]
		if got := len(r.Value); r.Value == nil && want != -1 || r.Value != nil && want != got {
			f.t.Errorf("offset %d: %d bytes, null %t, want %d", r.Offset, got, r.Value == nil, want)
		}
		return nil
	})
	if err != nil || pass.Delivered != 20 {
		f.t.Errorf("%+v: %v", pass, err)
	}
}

func TestScanReadsWhatEverIsOnTheWire(t *testing.T) {
	f := onTCP(t) // the finalizer of zstd is of no bubble
	f.topic("t", 1, map[string]string{"max.message.bytes": "4194304"})
	f.wires(p0)
	f.scanWires(p0)
}
