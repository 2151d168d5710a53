package kafka

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The leader moves before and after a transaction that is aborted, while the
// client is in the midst of it and the probe has gone ahead. The client then
// takes the end of the first leader's records for a loss.
func TestLeaderThatMovesAroundAnAbortedTransactionIsNoLoss(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		feed, compare, stop := f.aheadOfTheClient()
		defer stop()
		compare()
		time.Sleep(time.Minute)
		f.produce(p0, 1)
		if records, _ := f.until(feed, stableEnd(8)); len(records) != 1 {
			t.Errorf("%d records", len(records))
		}
	}, kfake.NumBrokers(2), kfake.Ports(9092, 9093))
}

// The same, and what the probe went over is gone: other records may stand there.
func TestTruncationOfWhatTheProbeWentOverStops(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		feed, compare, stop := f.aheadOfTheClient()
		defer stop()
		f.stuck(true) // or the probe might go on over the other aborted records meanwhile
		f.endsAt(3)
		compare()
		checkStop(t, stopped(t, feed), ErrTruncated, 4, "unclean leader election")
	}, kfake.NumBrokers(2), kfake.Ports(9092, 9093))
}

// aheadOfTheClient returns a feed at offset 4, behind the first of the aborted
// records that a newer leader wrote than the records before. The client stands
// still until compare has it report that the records of the former leader end
// before its own position, as it does when it has passed aborted ones.
func (f *fixture) aheadOfTheClient() (feed *Feed, compare, stop func()) {
	f.topic("t", 1, nil)
	f.move(0)
	f.produce(p0, 3)
	r, stop := f.reader(ReaderOptions{MaxPartitionBytes: 1})
	feed = r.Open(p0, 0)
	f.until(feed, stableEnd(3))
	f.move(1)
	client := f.stuck(false)
	f.transaction(p0, 3)(kgo.TryAbort)
	f.until(feed, func(b Batch) bool { return b.Next == 4 })
	return feed, func() {
		told := make(chan struct{})
		r.post(func() {
			r.deliver(f.t.Context(), arrival{feed: feed, err: &kgo.ErrDataLoss{Topic: "t", ConsumedTo: 4, ConsumedToEpoch: 1, ResetTo: 3}})
			close(told)
		})
		<-told // or the client might pass the aborted records first
		client.Remove()
	}, stop
}

// stuck has the broker bring nothing, either to the probe or to the client.
func (f *fixture) stuck(probe bool) *kfake.FaultHandle {
	return f.cluster.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Err: kerr.LeaderNotAvailable, Count: -1,
		When: func(req kmsg.Request) bool { return (req.(*kmsg.FetchRequest).SessionEpoch == -1) == probe },
	})
}

func (f *fixture) move(node int32) {
	f.t.Helper()
	if err := f.cluster.MoveTopicPartition("t", 0, node); err != nil {
		f.t.Fatal(err)
	}
}

// endsAt has the leader say that the records of every former one end there.
func (f *fixture) endsAt(offset int64) {
	f.cluster.ControlKey(int16(kmsg.OffsetForLeaderEpoch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
		topic := kmsg.NewOffsetForLeaderEpochResponseTopic()
		topic.Topic = "t"
		part := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
		part.EndOffset = offset
		topic.Partitions = append(topic.Partitions, part)
		resp.Topics = append(resp.Topics, topic)
		return resp, nil, true
	})
}
