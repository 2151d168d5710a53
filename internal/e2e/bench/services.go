package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
)

const partitions = 12

var errServices = errors.New("MILLRACE_KAFKA and MILLRACE_REDIS are not set: run it by make bench, which starts both")

// brokers returns the address of Kafka.
func brokers() (string, error) {
	if os.Getenv("MILLRACE_KAFKA") == "" || os.Getenv("MILLRACE_REDIS") == "" {
		return "", errServices
	}
	return os.Getenv("MILLRACE_KAFKA"), nil
}

// client returns a client of Kafka.
func client(opts ...kgo.Opt) (*kgo.Client, error) {
	addr, err := brokers()
	if err != nil {
		return nil, err
	}
	return kgo.NewClient(append(opts, kgo.SeedBrokers(addr))...)
}

// folder is where the files of this command are.
func folder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// framing is what stands before every value: the name of the schema.
func framing() ([]byte, error) {
	codec, err := avro.OpenFolder(filepath.Join(folder(), "schemas"))
	if err != nil {
		return nil, err
	}
	w, err := codec.JSONWriter("OrderPlaced")
	if err != nil {
		return nil, err
	}
	value, err := w.EncodeJSON(nil, []byte(sampleJSON))
	return value[:10], err
}

// sampleJSON fits the schema.
const sampleJSON = `{"event_id":"e","occurred_at":1,"order_id":"o","customer_id":"c","amount":1.00,"coupon":null,
	"address":{"street":"s","city":"c","zip":"z","country":"NL"},"items":[],"meta":{}}`

// ends returns the last stable offset of every partition of a topic.
func ends(ctx context.Context, c *kgo.Client, topic string) (map[int32]int64, error) {
	listed, err := kadm.NewClient(c).ListCommittedOffsets(ctx, topic)
	if err != nil {
		return nil, err
	}
	offsets := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { offsets[o.Partition] = o.Offset })
	return offsets, errors.Join(listed.Error())
}

// record makes a record of an event.
func record(topic string, e *streams.Event, value []byte) *kgo.Record {
	r := &kgo.Record{Topic: topic, Key: []byte(e.Stream), Value: append([]byte(nil), value...)}
	for _, h := range e.Headers() {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return r
}
