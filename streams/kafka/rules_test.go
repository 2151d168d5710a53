package kafka

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

// stopped takes everything from a feed and returns why it closed.
func stopped(t *testing.T, feed *Feed) *StopError {
	t.Helper()
	for range feed.Batches() {
	}
	var stop *StopError
	if !errors.As(feed.Err(), &stop) {
		t.Fatalf("Err = %v, want a StopError", feed.Err())
	}
	return stop
}

func checkStop(t *testing.T, stop *StopError, reason error, position int64, words ...string) {
	t.Helper()
	if !errors.Is(stop, reason) || stop.Position != position {
		t.Errorf("stopped by %v at %d, want %v at %d", stop.Err, stop.Position, reason, position)
	}
	for _, w := range words {
		if !strings.Contains(stop.Error(), w) {
			t.Errorf("%q does not say %q", stop.Error(), w)
		}
	}
}

// reading returns a feed of t/0 that has reached the stable end.
func (f *fixture) reading() (feed *Feed, stop func()) {
	f.t.Helper()
	r, stop := f.reader(ReaderOptions{})
	feed = r.Open(p0, 0)
	f.until(feed, stableEnd(0))
	return feed, stop
}

// Rule 1, and rule 4: a position whose offset is deleted stops.
func TestPositionBelowTheLogStops(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 2, nil)
		p1 := streams.Partition{Topic: "t", Partition: 1}
		f.produce(p0, 10)
		f.produce(p1, 1)
		if err := f.cluster.DeleteRecords("t", 0, 5); err != nil {
			t.Fatal(err)
		}
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		feed, other := r.Open(p0, 3), r.Open(p1, 0)
		checkStop(t, stopped(t, feed), ErrOutOfRange, 3, "t/0", "offset 3", "first offset is 5", "retention.ms")
		f.until(other, stableEnd(1))
	})
}

// Rule 1: one that gets deleted while it is read stops at the first error.
func TestOutOfRangeStopsAtTheFirstError(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 2, nil)
		p1 := streams.Partition{Topic: "t", Partition: 1}
		f.produce(p0, 2)
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		feed, other := r.Open(p0, 0), r.Open(p1, 0)
		f.until(feed, stableEnd(2))
		fault := f.cluster.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Partitions: []int32{0}, Err: kerr.OffsetOutOfRange, Count: -1,
		})
		defer fault.Remove()
		checkStop(t, stopped(t, feed), ErrOutOfRange, 2, "retention.ms")
		hits := fault.Hits()
		f.produce(p1, 1)
		f.until(other, stableEnd(1))
		time.Sleep(time.Minute)
		if got := fault.Hits(); got > hits+1 {
			t.Errorf("%d more fetches of a partition that has stopped", got-hits)
		}
	})
}

// Rule 1: an error that no waiting mends, after records that came with it.
func TestDamagedBatchStopsBehindWhatIsGood(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 4)
		bad := emptyBatch(2, 3)
		bad[17]++ // the checksum
		f.atOffset(2, 4, bad)
		r, stop := f.reader(ReaderOptions{MaxPartitionBytes: 1})
		defer stop()
		checkStop(t, stopped(t, r.Open(p0, 0)), ErrDamaged, 2, "crc", "replica")
	})
}

// fetched answers a fetch of t/0 with these batches.
func fetched(req *kmsg.FetchRequest, batches []byte) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	topic := kmsg.NewFetchResponseTopic()
	topic.Topic, topic.TopicID = req.Topics[0].Topic, req.Topics[0].TopicID
	part := kmsg.NewFetchResponseTopicPartition()
	part.HighWatermark, part.LastStableOffset = 4, 4
	part.RecordBatches = batches
	topic.Partitions = append(topic.Partitions, part)
	resp.Topics = append(resp.Topics, topic)
	return resp
}

// emptyBatch is what compaction leaves of a batch whose records are all gone.
func emptyBatch(first int64, last int64) []byte {
	batch := kmsg.RecordBatch{
		FirstOffset: first, Length: 49, Magic: 2, LastOffsetDelta: int32(last - first), ProducerID: -1, ProducerEpoch: -1,
	}
	b := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// atOffset has fetches of t/0 from this offset on, up to before the other, be
// answered by batches instead of the cluster.
func (f *fixture) atOffset(from, before int64, batches []byte) {
	f.cluster.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		req := kreq.(*kmsg.FetchRequest)
		if len(req.Topics) == 0 {
			return nil, nil, false
		}
		if o := req.Topics[0].Partitions[0].FetchOffset; o < from || o >= before {
			return nil, nil, false
		}
		return fetched(req, batches), nil, true
	})
}

// Rule 1: a topic that was made anew is not read on.
func TestTopicMadeAnewStops(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 5)
		feed, stop := f.reading()
		defer stop()
		if err := f.cluster.DeleteTopic("t"); err != nil {
			t.Fatal(err)
		}
		f.topic("t", 1, nil)
		f.produce(p0, 9)
		checkStop(t, stopped(t, feed), ErrTopicChanged, 5, "made anew")
	})
}

// Rule 1: the watcher notices by itself, whatever the client makes of it.
func TestTopicWithAnotherIDStops(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		r.ids["t"] = [16]byte{1} // as if it had been another one before
		checkStop(t, stopped(t, r.Open(p0, 0)), ErrTopicChanged, 0, "made anew")
	})
}

// Rule 1: a log that was cut behind the reader.
func TestTruncationStops(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 5)
		feed, stop := f.reading()
		defer stop()
		f.endsAt(3)
		f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Err: kerr.FencedLeaderEpoch})
		f.produce(p0, 1) // ends the fetch that waits
		checkStop(t, stopped(t, feed), ErrTruncated, 5, "unclean leader election")
	})
}

// The client reports a loss where none of what was delivered is gone.
func TestTruncationBehindThePositionIsNoLoss(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 5)
		feed, stop := f.reading()
		defer stop()
		feed.reader.post(func() {
			feed.reader.deliver(t.Context(), arrival{feed: feed, err: &kgo.ErrDataLoss{Topic: "t", ConsumedTo: 6, ResetTo: 5}})
		})
		f.produce(p0, 1)
		if records, _ := f.until(feed, stableEnd(6)); len(records) != 1 {
			t.Errorf("%d records", len(records))
		}
	})
}

// Rule 1: a broker that refuses will go on refusing.
func TestRefusalStops(t *testing.T) {
	for _, key := range []kmsg.Key{kmsg.Fetch, kmsg.ListOffsets, kmsg.Metadata} {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.topic("t", 1, nil)
			f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Topic: "t", Err: kerr.TopicAuthorizationFailed, Count: -1})
			r, stop := f.reader(ReaderOptions{})
			defer stop()
			checkStop(t, stopped(t, r.Open(p0, 0)), kerr.TopicAuthorizationFailed, 0, "ACLs")
		})
	}
}

// Rule 1: a topic that may not be looked at was not made anew, and whoever may
// look again may read on.
func TestHiddenTopicIsNotAnotherOne(t *testing.T) {
	for _, known := range []bool{false, true} {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.topic("t", 1, nil)
			r, stop := f.reader(ReaderOptions{})
			defer stop()
			var hidden atomic.Bool
			f.cluster.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
				f.cluster.KeepControl()
				return f.hidden(req.(*kmsg.MetadataRequest)), nil, hidden.Load()
			})
			feed := r.Open(p0, 0)
			if known {
				f.until(feed, stableEnd(0))
			}
			hidden.Store(true)
			checkStop(t, stopped(t, feed), kerr.TopicAuthorizationFailed, 0, "ACLs")
			hidden.Store(false)
			f.produce(p0, 1)
			f.until(r.Open(p0, 0), stableEnd(1))
		})
	}
}

// hidden is what a broker of Kafka says of topics that may not be looked at: not
// even their IDs.
func (f *fixture) hidden(req *kmsg.MetadataRequest) kmsg.Response {
	f.t.Helper()
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	broker := kmsg.NewMetadataResponseBroker()
	host, port, err := net.SplitHostPort(f.cluster.ListenAddrs()[0])
	if err != nil {
		f.t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		f.t.Fatal(err)
	}
	broker.Host, broker.Port = host, int32(number)
	resp.Brokers = append(resp.Brokers, broker)
	for _, asked := range req.Topics {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic = asked.Topic
		topic.ErrorCode = kerr.TopicAuthorizationFailed.Code
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

// Rule 5: a position beyond the stable end stops, whatever the high watermark.
func TestPositionBeyondTheStableEndStops(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 2)
		end := f.transaction(p0, 5)
		defer end(kgo.TryAbort)
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		checkStop(t, stopped(t, r.Open(p0, 4)), ErrBeyondEnd, 4, "offset 4", "last stable offset is 2")
	})
}

// Rule 5: after a leader change the end is not known for a while.
func TestOffsetNotAvailableIsAskedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.topic("t", 1, nil)
		f.produce(p0, 2)
		f.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.OffsetNotAvailable, Count: 20})
		r, stop := f.reader(ReaderOptions{})
		defer stop()
		f.until(r.Open(p0, 0), stableEnd(2))
	})
}
