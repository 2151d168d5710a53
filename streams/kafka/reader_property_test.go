package kafka

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// act is one thing that happens to a partition or to its feed.
type act struct {
	kind string
	n    int
}

func drawActs(t *rapid.T) []act {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		return act{
			rapid.SampledFrom([]string{"plain", "commit", "abort", "reopen", "sleep", "move"}).Draw(t, "kind"),
			rapid.IntRange(1, 8).Draw(t, "n"),
		}
	}), 1, 12).Draw(t, "acts")
}

// Whatever is written, aborted and moved, and however often the feed is closed
// and opened at the position that was reached: every committed record comes
// once, in order, and the position reaches the end of the log.
func TestFeedDeliversEveryCommittedRecordOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		acts := drawActs(rt)
		size := rapid.SampledFrom([]int32{1, 200, 256 << 10}).Draw(rt, "bytes")
		var problem string
		synctest.Test(t, func(t *testing.T) { problem = play(t, acts, size) })
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

// play does the acts while a feed is read, and returns what went wrong.
func play(t *testing.T, acts []act, size int32) string {
	network := new(kfake.VirtualNetwork)
	f := newFixture(t, kfake.NumBrokers(3), kfake.Ports(9092, 9093, 9094), kfake.ListenFn(network.Listen))
	f.config.Dialer = network.DialContext
	defer time.Sleep(time.Second) // nobody may be asleep when the bubble ends
	defer f.cluster.Close()
	// Of a leader that comes back with a new epoch the client asks without a pause
	// until it may look up the leaders, for which time has to pass. (SleepControl of
	// kfake races with itself where a connection sleeps again and again.)
	f.cluster.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		time.Sleep(time.Millisecond)
		return nil, nil, false
	})
	f.topic("t", 1, nil)
	r, stop := f.reader(ReaderOptions{MaxPartitionBytes: size})
	defer stop()
	d := &drain{feed: r.Open(p0, 0)}
	var want []int64
	var end int64
	for i, a := range acts {
		switch a.kind {
		case "plain":
			f.produce(p0, a.n)
		case "commit":
			f.transaction(p0, a.n)(kgo.TryCommit)
		case "abort":
			f.transaction(p0, a.n)(kgo.TryAbort)
		case "reopen":
			d.take(a.n)
			d.feed.Close()
			d.rest()
			d.feed = r.Open(p0, d.position)
		case "sleep":
			time.Sleep(time.Duration(a.n) * 300 * time.Millisecond)
		case "move":
			if err := f.cluster.MoveTopicPartition("t", 0, int32((i+a.n)%3)); err != nil {
				t.Fatal(err)
			}
		}
		want, end = expect(a, want, end)
	}
	for deadline := time.Now().Add(time.Minute); d.position < end && time.Now().Before(deadline); {
		d.take(1)
		time.Sleep(10 * time.Millisecond)
	}
	if d.problem == "" && (!slices.Equal(d.offsets, want) || d.position != end) {
		d.problem = fmt.Sprintf("got %v up to %d, want %v up to %d", d.offsets, d.position, want, end)
	}
	return d.problem
}

// expect adds the offsets that an act makes visible, and moves the end.
func expect(a act, want []int64, end int64) ([]int64, int64) {
	if a.kind == "plain" || a.kind == "commit" {
		for i := range a.n {
			want = append(want, end+int64(i))
		}
	}
	switch a.kind {
	case "plain":
		end += int64(a.n)
	case "commit", "abort":
		end += int64(a.n) + 1 // the marker
	}
	return want, end
}

// drain is an owner that checks what its feed sends.
type drain struct {
	feed     *Feed
	position int64
	offsets  []int64
	problem  string
}

// take takes up to n batches that are there.
func (d *drain) take(n int) {
	for range n {
		select {
		case b, ok := <-d.feed.Batches():
			if !ok {
				d.problem = fmt.Sprintf("the feed closed at %d: %v", d.position, d.feed.Err())
				return
			}
			d.add(b)
		default:
			return
		}
	}
}

// rest takes what is left in a feed that was closed.
func (d *drain) rest() {
	for b := range d.feed.Batches() {
		d.add(b)
	}
}

func (d *drain) add(b Batch) {
	if b.First != d.position {
		d.problem = fmt.Sprintf("a batch begins at %d, not at %d", b.First, d.position)
	}
	d.position = b.Next
	for _, r := range b.Records {
		d.offsets = append(d.offsets, r.Offset)
	}
	b.Release()
}
