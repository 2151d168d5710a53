package kafka

import (
	"reflect"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// Headers are shared between the types, so their layouts must agree.
func TestHeaderLayouts(t *testing.T) {
	ours, theirs := reflect.TypeFor[streams.Header](), reflect.TypeFor[kgo.RecordHeader]()
	if ours.Size() != theirs.Size() || ours.NumField() != theirs.NumField() {
		t.Fatalf("%v has %d bytes in %d fields, %v has %d in %d",
			ours, ours.Size(), ours.NumField(), theirs, theirs.Size(), theirs.NumField())
	}
	for i := range ours.NumField() {
		a, b := ours.Field(i), theirs.Field(i)
		if a.Name != b.Name || a.Type != b.Type || a.Offset != b.Offset {
			t.Errorf("field %d: %v and %v", i, a, b)
		}
	}
}

func TestAppendRecords(t *testing.T) {
	at := time.UnixMilli(1700000000000)
	fetched := []*kgo.Record{
		{Topic: "t", Partition: 2, Offset: 4},
		{Topic: "t", Partition: 2, Offset: 5, Timestamp: at, Key: []byte("k"), Value: []byte("v"),
			Headers: []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "b"}}},
		{Topic: "t", Partition: 2, Offset: 6},
	}
	got := appendRecords(nil, fetched, 5)
	want := []streams.Record{
		{Topic: "t", Partition: 2, Offset: 5, Timestamp: at, Key: []byte("k"), Value: []byte("v"),
			Headers: []streams.Header{{Key: "a", Value: []byte("1")}, {Key: "b"}}},
		{Topic: "t", Partition: 2, Offset: 6},
	}
	if len(got) != 2 || len(got[1].Headers) != 0 {
		t.Fatalf("got %+v", got)
	}
	got[1].Headers = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestReleaseGivesTheSliceBack(t *testing.T) {
	r, err := NewReader(Config{Brokers: []string{"127.0.0.1:1"}}, ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	records := append(r.slice(3), streams.Record{Offset: 1, Key: []byte("k")})
	b := Batch{Records: records, pool: &r.records}
	b.Release()
	b.Release()
	if b.Records != nil || records[0].Key != nil {
		t.Errorf("after Release: %v, %v", b.Records, records[0])
	}
	none := Batch{}
	none.Release()
}

func BenchmarkConvert(b *testing.B) {
	const n = 1300 // records of about 190 bytes in 256 KiB
	fetched := make([]*kgo.Record, n)
	slab := make([]kgo.Record, n)
	headers := make([]kgo.RecordHeader, 10)
	for i := range fetched {
		slab[i] = kgo.Record{Topic: "t", Offset: int64(i), Key: []byte("k"), Value: []byte("v"), Headers: headers}
		fetched[i] = &slab[i]
	}
	var records []streams.Record
	b.ReportAllocs()
	for b.Loop() {
		records = appendRecords(records[:0], fetched, 0)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
}
