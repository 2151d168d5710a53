package compaction

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/streamstest"
)

// flushes are how many snapshots each watermark of a partition has before it, but
// for that of the beginning.
func (l *lab) flushes(partition int32) (sizes []int) {
	l.t.Helper()
	n := 0
	for _, s := range l.snapshots()[partition] {
		if n++; s.Watermark != nil {
			sizes, n = append(sizes, n-1), 0
		}
	}
	return sizes[1:]
}

// in are streams of a partition.
func in(partition int32, n int) (numbers []int) {
	for i := 0; len(numbers) < n; i++ {
		if streams.PartitionOf([]byte(fmt.Sprintf("order-%d", i)), partitions) == partition {
			numbers = append(numbers, i)
		}
	}
	return numbers
}

// settled starts a worker of partition 0 whose first flush is over.
func (l *lab) settled(change func(*Options)) *worker {
	l.t.Helper()
	w := l.start(change, 0)
	l.Kafka.Produce("orders", l.paid(in(0, 1)[0], "1.10"))
	l.until("first flush", func() bool { return l.watermarks()[0] == 1 })
	return w
}

const later = 24 * time.Hour

// TestFlushIsDueByStreams: a transaction has no more streams than it may have.
func TestFlushIsDueByStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		w := l.settled(func(o *Options) { o.Config.FlushStreams, o.Config.FlushInterval = 5, later })
		var events []streamstest.Event // of one fetch
		for _, n := range in(0, 12) {
			events = append(events, l.paid(n, "1.10"), l.paid(n, "1.10"))
		}
		l.Kafka.Produce("orders", events...)
		time.Sleep(time.Minute)
		if got := fmt.Sprint(l.flushes(0)); got != "[1 5 5]" {
			t.Errorf("flushes %s, want [1 5 5]", got)
		}
		w.stop() // which flushes what is left
		if got := fmt.Sprint(l.flushes(0)); got != "[1 5 5 4]" || l.watermarks()[0] != 25 {
			t.Errorf("flushes %s, watermark %d", got, l.watermarks()[0])
		}
		l.right()
	})
}

// TestFlushIsDueByBytes, also where states only grow after their first change.
func TestFlushIsDueByBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		w := l.settled(func(o *Options) { o.Config.FlushBytes, o.Config.FlushInterval = 10_000, later })
		n := in(0, 1)[0]
		note := func(size int) string { return fmt.Sprintf(`{"note":%q}`, strings.Repeat("x", size)) }
		l.Kafka.Produce("orders", l.paid(n, "1.10"), l.event("Noted", n, note(6000)), l.paid(n, "1.10"))
		time.Sleep(time.Minute)
		if got := fmt.Sprint(l.flushes(0)); got != "[1]" {
			t.Errorf("flushes %s, want [1]: one state of 6 kB", got)
		}
		l.Kafka.Produce("orders", l.event("Noted", n, note(12_000)))
		time.Sleep(time.Minute)
		if got := fmt.Sprint(l.flushes(0)); got != "[1 1]" {
			t.Errorf("flushes %s, want [1 1]: the state has grown to 12 kB", got)
		}
		w.stop()
	})
}

// TestFlushIsDueByTime, counted from the first change, with each stream once.
func TestFlushIsDueByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		w := l.settled(func(o *Options) { o.Config.FlushInterval = time.Minute })
		began := time.Now()
		for time.Since(began) < 55*time.Second {
			for _, n := range in(0, 3) {
				l.Kafka.Produce("orders", l.paid(n, "1.10"))
			}
			time.Sleep(time.Second)
		}
		if got := fmt.Sprint(l.flushes(0)); got != "[1]" {
			t.Errorf("flushes %s after 55 s, want [1]", got)
		}
		time.Sleep(10 * time.Second)
		if got := fmt.Sprint(l.flushes(0)); got != "[1 3]" {
			t.Errorf("flushes %s after 65 s, want [1 3]", got)
		}
		w.stop()
	})
}

// TestIdleWritesNothing: no record, no position, no new owner in an hour.
func TestIdleWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		l.pay(40)
		aborted := l.Kafka.Begin("aborted")
		aborted.Produce("orders", l.paid(1, "1.10"))
		aborted.Abort()
		told := new(asked)
		w := l.start(told.instead)
		l.caughtUp()
		time.Sleep(time.Minute)
		writes := func() []int {
			all := []int{int(told.commits.Load())}
			for _, request := range []string{"Produce", "AddPartitionsToTxn", "EndTxn", "InitProducerID"} {
				all = append(all, w.kafka.Requests(request))
			}
			return all
		}
		if told.commits.Load() == 0 {
			t.Error("nobody was told the watermarks")
		}
		before := fmt.Sprint(writes())
		time.Sleep(time.Hour)
		if after := fmt.Sprint(writes()); after != before {
			t.Errorf("writes %s, an hour later %s", before, after)
		}
		w.stop()
	})
}

// TestDrain: a worker that leaves in order writes what it has folded.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		w := l.start(func(o *Options) { o.Config.FlushInterval = later })
		l.pay(40)
		l.caughtUp()
		l.pay(40)
		time.Sleep(time.Second)
		end := l.Kafka.LSO("orders")
		if l.watermarks()[0] == end[0] {
			t.Fatal("it was flushed before")
		}
		w.stop()
		for p, next := range l.watermarks() {
			if next != end[int32(p)] {
				t.Errorf("partition %d: watermark %d, want %d", p, next, end[int32(p)])
			}
		}
		l.right()
	})
}

// TestFlushWhoseEndIsNotHeard: the broker has committed it, and goes away before it
// says so. What is committed is loaded, and nothing of it folded again.
func TestFlushWhoseEndIsNotHeard(t *testing.T) {
	onGrounds(t, func(l *lab) {
		l.pay(40)
		w := l.start(nil)
		l.caughtUp()
		before := l.watermarks()
		ended := w.kafka.Inject(streamstest.Fault{Request: "EndTxn", Action: streamstest.FreezeReply})
		l.pay(40)
		l.until("flush that has ended", func() bool { return closed(ended) })
		w.kafka.Down()
		w.kafka.Thaw()
		l.until("restart", func() bool { return strings.Contains(l.logs.String(), "starting again from the committed snapshots") })
		if l.watermarks() == before {
			l.t.Error("nothing was committed")
		}
		w.kafka.Up()
		l.caughtUp()
		l.right()
		w.stop()
	})
}
