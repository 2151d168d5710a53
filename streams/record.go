package streams

import (
	"fmt"
	"time"
	"unsafe"
)

// Record is a Kafka record as a reader hands it out. Its bytes are shared with
// the fetch that brought it and must not be written to.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	// Timestamp is the broker's or producer's send time. It measures lag and is
	// never the time of the event.
	Timestamp time.Time
	// Key is the stream ID of an event.
	Key     []byte
	Value   []byte
	Headers []Header
}

// Header is one header of a [Record].
type Header struct {
	Key   string
	Value []byte
}

// Partition names one partition of one topic.
type Partition struct {
	Topic     string
	Partition int32
}

// String returns topic/partition.
func (p Partition) String() string { return fmt.Sprintf("%s/%d", p.Topic, p.Partition) }

// RecordError is an error of one record: the record cannot be decoded or
// applied, whoever tries and however often.
type RecordError struct {
	Topic     string
	Partition int32
	Offset    int64
	Err       error
}

// Errorf returns the record's error with the reason given as in [fmt.Errorf].
func (r *Record) Errorf(format string, args ...any) *RecordError {
	return &RecordError{r.Topic, r.Partition, r.Offset, fmt.Errorf(format, args...)}
}

// Error names the record as topic/partition/offset, then the reason.
func (e *RecordError) Error() string {
	return fmt.Sprintf("record %s/%d/%d: %v", e.Topic, e.Partition, e.Offset, e.Err)
}

// Unwrap returns the reason.
func (e *RecordError) Unwrap() error { return e.Err }

// view returns b as a string without copying it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
