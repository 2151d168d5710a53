package importer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/streamstest"
)

// requests are those of an import whose loss matters.
var requests = []string{"Produce", "EndTxn", "InitProducerID", "Fetch", "ListOffsets", "Metadata", ""}

// shuffled are the lines of some streams, interleaved, and how many each has.
func shuffled(random *rand.Rand) (lines []string, highest map[string]int64) {
	highest = map[string]int64{}
	for range 200 + random.IntN(200) {
		stream := fmt.Sprintf("fine-%d", random.IntN(12))
		highest[stream]++
		lines = append(lines, lineOf(stream, highest[stream]))
	}
	return lines, highest
}

// crash imports and is killed at a point that chance chooses: nothing that it
// sends afterwards arrives. Sometimes only a connection is lost.
func crash(t *testing.T, random *rand.Rand, k *streamstest.Kafka, file string) {
	o, link := options(k, file)
	o.batchEvents = 1 + random.IntN(60)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	kill := random.IntN(3) > 0
	struck := link.Inject(streamstest.Fault{
		Request: requests[random.IntN(len(requests))],
		Nth:     1 + random.IntN(40),
		Action:  streamstest.Action(random.IntN(2)),
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-struck:
			if kill {
				link.Down()
				cancel()
			}
		case <-ctx.Done():
		}
	}()
	_, err := Run(ctx, o)
	if err != nil && !kill {
		t.Errorf("an import that lost a connection: %v", err)
	}
	cancel()
	<-done
}

// After any sequence of crashes the topic holds a beginning of each stream, and
// the next run completes it: every line once, in order.
func TestCrashesLoseAndDoubleNothing(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 0))
				k := streamstest.New(t, streamstest.Options{Topics: map[string]int32{topic: 3}}).Kafka
				lines, highest := shuffled(random)
				file := writeFile(t, lines...)
				for range 1 + random.IntN(4) {
					crash(t, random, k, file)
				}
				before := int64(len(k.Read(topic)))
				all := int64(len(lines))
				wantCounts(t, importFile(t, k, file), counts{Lines: all, Written: all - before, Present: before})
				wantVersions(t, k, highest)
			})
		})
	}
}

// Two imports of one file at once, one of them sometimes frozen: whoever is
// fenced says so, and a last run completes what is missing.
func TestImportsAtOnceLoseAndDoubleNothing(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 1))
				k := streamstest.New(t, streamstest.Options{Topics: map[string]int32{topic: 3}}).Kafka
				lines, highest := shuffled(random)
				file := writeFile(t, lines...)
				results := make(chan error, 2)
				for i := range 2 {
					o, link := options(k, file)
					o.batchEvents = 1 + random.IntN(20)
					frozen := link.Inject(streamstest.Fault{
						Request: requests[random.IntN(2)], Nth: 1 + random.IntN(10), Action: streamstest.FreezeRequest,
					})
					pause := time.Duration(random.IntN(30)) * time.Second
					delay := time.Duration(i*random.IntN(20)) * time.Millisecond
					ctx, cancel := context.WithCancel(t.Context())
					go thaw(ctx, link, frozen, pause)
					go func() {
						defer cancel()
						time.Sleep(delay)
						_, err := Run(ctx, o)
						results <- err
					}()
				}
				for range 2 {
					if err := <-results; err != nil && !errors.Is(err, kafka.ErrFenced) {
						t.Errorf("Run: %v", err)
					}
				}
				importFile(t, k, file)
				wantVersions(t, k, highest)
			})
		})
	}
}

func thaw(ctx context.Context, link *streamstest.Link, frozen <-chan struct{}, pause time.Duration) {
	select {
	case <-frozen:
		time.Sleep(pause)
		link.Thaw()
	case <-ctx.Done():
	}
}

// Without the comparison with what the topic holds, a second run doubles.
func TestLedger(t *testing.T) {
	l := newLedger()
	l.note("a", 2)
	l.note("a", 1)
	for _, tt := range []struct {
		stream  streams.StreamID
		version int64
		want    verdict
	}{
		{"a", 1, present}, {"a", 2, present}, {"a", 3, due}, {"a", 4, gap},
		{"b", 1, due}, {"b", 2, gap},
	} {
		if got := l.judge(tt.stream, tt.version); got != tt.want {
			t.Errorf("version %d of %s: %v, want %v", tt.version, tt.stream, got, tt.want)
		}
	}
	l.hold("a", 7)
	l.hold("a", 8)
	if l.judge("a", 2) != present || l.judge("a", 3) != held || l.behind["a"] != 7 {
		t.Errorf("held: %v", l)
	}
	l.forget()
	if l.judge("a", 1) != held || l.judge("b", 1) != due {
		t.Errorf("after forgetting: %v", l)
	}
}

// A lost answer leaves the batch in the topic whole or not at all; anything else
// is not the topic that was written to.
func TestReconcile(t *testing.T) {
	events := []pending{{"a", 3}, {"b", 1}, {"a", 4}}
	for name, tt := range map[string]struct {
		topic     map[streams.StreamID]int64
		committed int
		ok        bool
	}{
		"committed":     {map[streams.StreamID]int64{"a": 4, "b": 1}, 3, true},
		"not committed": {map[streams.StreamID]int64{"a": 2}, 0, true},
		"cut":           {map[streams.StreamID]int64{"a": 1}, 0, false},
	} {
		l := newLedger()
		for s, v := range tt.topic {
			l.note(s, v)
		}
		b := batch{records: make([]kafka.OutRecord, len(events))}
		b.events = append(b.events, events...)
		committed, err := b.reconcile(l)
		if committed != tt.committed || (err == nil) != tt.ok {
			t.Errorf("%s: %d, %v", name, committed, err)
		}
		if tt.ok && (len(b.events)+committed != len(events) || l.versions["a"] != 4 || l.versions["b"] != 1) {
			t.Errorf("%s: %v, %v", name, b.events, l.versions)
		}
	}
}

// A name in the ledger that is a view keeps a whole fetch in memory: a gigabyte
// for half a million events.
func TestLedgerHoldsNoFetch(t *testing.T) {
	r := &run{workers: make([]*worker, 1)}
	w := newWorker(r, streams.Partition{Topic: topic}, 1)
	event := streams.Event{ID: "1", Type: "FineCreated", Source: "s", Stream: "fine-1", Time: "t", Sequence: streams.FormatSequence(3)}
	record := streams.Record{Key: []byte("fine-1"), Value: []byte{}, Headers: event.Headers()}
	if err := w.loadRecord(record); err != nil {
		t.Fatal(err)
	}
	clear(record.Key)
	if w.ledger.versions["fine-1"] != 3 {
		t.Errorf("ledger: %v", w.ledger.versions)
	}
}
