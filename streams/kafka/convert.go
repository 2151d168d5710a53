package kafka

import (
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// appendRecords appends the data records at or after the position. Control
// records (transaction markers) are left out. Keys, values and headers are
// shared with the fetch.
func appendRecords(dst []streams.Record, fetched []*kgo.Record, position int64) []streams.Record {
	for _, r := range fetched {
		if r.Offset < position || r.Attrs.IsControl() {
			continue
		}
		dst = append(dst, streams.Record{
			Topic:     r.Topic,
			Partition: r.Partition,
			Offset:    r.Offset,
			Timestamp: r.Timestamp,
			Key:       r.Key,
			Value:     r.Value,
			Headers:   headersOf(r.Headers),
		})
	}
	return dst
}

// headersOf returns the headers without copying them: both types are a name and
// a value, in this order, and a test compares their layouts.
func headersOf(h []kgo.RecordHeader) []streams.Header {
	return unsafe.Slice((*streams.Header)(unsafe.Pointer(unsafe.SliceData(h))), len(h))
}
