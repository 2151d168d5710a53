package main

import (
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/projection"
	"github.com/millrace/millrace/streams/streamstest"
)

// TestLagWhereEventsAreDeleted: the deleted ones are in the snapshots that a view
// loads. One that has a position before them lacks them.
func TestLagWhereEventsAreDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": 1}})
		for range 10 {
			c.Kafka.Produce("orders", streamstest.Event{Stream: "order-1", Type: "Paid", Value: []byte("x")})
			time.Sleep(time.Second)
		}
		if _, err := c.Kafka.Admin().DeleteRecords(t.Context(), kadm.Offsets{"orders": {0: {Topic: "orders", At: 4}}}); err != nil {
			t.Fatal(err)
		}
		cfg := kafka.Config{Brokers: c.Kafka.Brokers(), Dialer: c.Kafka.Dial}
		admin, err := kafka.NewAdmin(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer admin.Close()
		for _, want := range []struct {
			position, lag int64
			seconds       float64
			err           error
		}{{projection.Absent, 6, 6, nil}, {4, 6, 6, nil}, {7, 3, 3, nil}, {10, 0, 0, nil}, {3, 0, 0, kafka.ErrOutOfRange}} {
			v := &viewStatus{View: "order", Partitions: []partitionStatus{{Position: want.position, id: streams.Partition{Topic: "orders"}}}}
			now := time.Now()
			err := (&behind{cfg, admin}).add(t.Context(), v)
			passed := time.Since(now).Seconds()
			switch {
			case !errors.Is(err, want.err):
				t.Errorf("position %d: %v, want %v", want.position, err, want.err)
			case err == nil && (*v.Lag != want.lag || math.Round(*v.Behind-passed) != want.seconds):
				t.Errorf("position %d: %d records, %v s behind, want %d, %v", want.position, *v.Lag, *v.Behind, want.lag, want.seconds)
			}
		}
	})
}
