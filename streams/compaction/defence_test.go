package compaction

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/state"
	"github.com/millrace/millrace/streams/streamstest"
)

// TestFenceBeforeLoad: an owner stands still before its flush arrives, and another
// one takes over. With a transactional ID of another name it fences nobody, and
// what arrives later puts old states behind new ones.
func TestFenceBeforeLoad(t *testing.T) {
	bothWays(t, func(l *lab, defended bool) []string {
		l.pay(40)
		l.once()
		w := l.start(nil)
		l.until("readiness", func() bool { return len(w.NotReady()) == 0 })
		frozen := w.kafka.Inject(streamstest.Fault{Request: "Produce", Action: streamstest.FreezeRequest})
		l.pay(40)
		l.until("frozen worker", func() bool { return closed(frozen) })
		other := l.start(func(o *Options) {
			if !defended {
				o.Kafka.Prefix = "other"
			}
		})
		l.pay(40)
		l.caughtUp()
		w.kafka.Thaw()
		l.until("end of the frozen flush", func() bool {
			return strings.Contains(l.logs.String(), "took the partition over") || len(l.wrong()) > 0
		})
		w.stop()
		other.stop()
		return l.wrong()
	})
}

// TestGoneKeepsTheVersion: a writer takes the version of a stream that has ended
// from its snapshot, and goes on counting. From a tombstone it would begin at 1.
func TestGoneKeepsTheVersion(t *testing.T) {
	bothWays(t, func(l *lab, defended bool) []string {
		l.Kafka.Produce(l.topic, l.paid(1, "1.10"), l.event("Closed", 1, "{}"))
		l.once()
		again := l.paid(1, "1.10")
		if !defended {
			r := l.Kafka.Record(l.topic, again)
			l.Kafka.ProduceRecords(&streams.Record{Topic: l.fold.Snapshots, Partition: r.Partition, Key: r.Key})
		}
		again.Version = l.load()[string(again.Stream)].Version + 1
		l.Kafka.Produce(l.topic, again)
		l.once()
		return l.wrong()
	})
}

// deaf is a store that does not hear of events that change no state.
type deaf struct{ state.Store }

func (s deaf) Put(stream []byte, e state.Entry) error {
	before, known, err := s.Get(stream)
	if err != nil || known && e.Gone == before.Gone && bytes.Equal(e.Value, before.Value) {
		return err
	}
	return s.Store.Put(stream, e)
}

// TestVersionCountsIgnoredEvents: an event of a type that the fold does not name
// has a number in its stream, too. Who leaves it out has another version than the
// log.
func TestVersionCountsIgnoredEvents(t *testing.T) {
	bothWays(t, func(l *lab, defended bool) []string {
		viewed := streamstest.Event{Stream: l.stream(1), Type: "Viewed"}
		l.Kafka.Produce(l.topic, l.paid(1, "1.10"), viewed, l.paid(1, "1.10"), l.event("Closed", 1, "{}"), viewed)
		var store state.Store = state.NewMemory()
		if !defended {
			store = deaf{store}
		}
		replay, err := l.fold.Replay(partitions, store)
		if err != nil {
			l.t.Fatal(err)
		}
		want, got := model{}, model{}
		for _, r := range l.Kafka.Read(l.topic) {
			if err := replay.Apply(r); err != nil {
				l.t.Fatal(err)
			}
			l.apply(want, r)
		}
		for stream, e := range store.All() {
			got[string(stream)] = l.order(e)
		}
		return differences("the store", want, got)
	})
}

// TestDigestTellsRulesApart: events folded by edited rules onto states of the
// former ones would stay wrong for ever. Rules that have the digest of the former
// ones do that.
func TestDigestTellsRulesApart(t *testing.T) {
	bothWays(t, func(l *lab, defended bool) []string {
		l.pay(40)
		l.once()
		fold := l.fold
		l.fold = l.compile(strings.Replace(orderFold, "payments: 1", "payments: 2", 1))
		if !defended {
			l.fold.Digest = fold.Digest
		}
		l.pay(40)
		if defended {
			var digest *snapshot.DigestError
			if err := l.start(nil).leaves(); !errors.As(err, &digest) {
				l.t.Errorf("it left with %v", err)
			}
		} else {
			l.once()
		}
		l.fold = fold
		return l.wrong()
	})
}
