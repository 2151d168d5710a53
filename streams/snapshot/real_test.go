package snapshot

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/state"
)

// result is what a reader came to.
type result struct {
	Loaded
	missed int // streams of which no snapshot came
	wrong  int // streams that are not the fold of their events, when all were applied
}

// read loads slowly, follows the events, and compares. Change may change what is
// loaded from.
func (g *ground) read(each time.Duration, change func(*Topic)) (result, error) {
	g.t.Helper()
	topic, err := Open(g.t.Context(), g.config, g.source, g.snapshots)
	if err != nil {
		g.t.Fatal(err)
	}
	defer topic.Close()
	if change != nil {
		change(topic)
	}
	states := map[string]state.Entry{}
	seen := 0
	loaded, err := Resync(g.t.Context(), topic, Options{Digest: digest, Deadline: 40 * time.Second}, func(r *Record) error {
		if r.Watermark == nil {
			states[string(r.Stream)] = state.Entry{Offset: r.Offset, Version: r.Version, Value: bytes.Clone(r.Value)}
		}
		if seen++; seen%20 == 0 {
			time.Sleep(20 * each)
		}
		return nil
	})
	res := result{Loaded: loaded, missed: g.streams - len(states)}
	if err != nil {
		return res, err
	}
	followed, err := topic.scanner.Scan(g.t.Context(), streams.Partition{Topic: g.source}, loaded.Position, func(r streams.Record) error {
		if !loaded.Filter.Includes(r.Key, r.Offset) {
			states[string(r.Key)] = foldHashes(states[string(r.Key)], r.Offset)
		}
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
	if loaded.Filter.Dropped > 0 {
		g.t.Errorf("%d events were in snapshots before their watermark", loaded.Filter.Dropped)
	}
	for stream, w := range g.want(followed.Next) {
		if is := states[stream]; is.Version != w.Version || !bytes.Equal(is.Value, w.Value) {
			res.wrong++
		}
	}
	return res, nil
}

// right reads and expects everything.
func (g *ground) right(each time.Duration) result {
	g.t.Helper()
	res, err := g.read(each, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	if res.missed > 0 || res.wrong > 0 {
		g.t.Errorf("of %d streams %d were missed, %d are wrong", g.streams, res.missed, res.wrong)
	}
	g.t.Logf("%d snapshots of %d streams in %d passes, %v", res.Snapshots, g.streams, res.Passes, res.Took.Round(time.Millisecond))
	return res
}

// The cleaner works while a slow reader reads, and the writer replaces what he has
// not read yet. One pass misses streams, and often all watermarks; Resync does not.
func TestSlowReaderMissesNothingOnRealKafka(t *testing.T) {
	g := onRealKafka(t, aggressive, 3000)
	defer g.churn(30, 100*time.Millisecond)()
	single := func(topic *Topic) { topic.missedNothing = func(kafka.Pass) bool { return true } }
	bites := false
	for try := 0; !bites && try < 10; try++ {
		res, err := g.read(time.Millisecond, single)
		if err != nil && !errors.Is(err, ErrUnusable) {
			t.Fatal(err)
		}
		t.Logf("a single pass: of %d streams %d were missed, %d are wrong, %v", g.streams, res.missed, res.wrong, err)
		bites = res.missed > 0
	}
	if !bites {
		t.Error("a single pass never missed a stream: the cleaner did not work")
	}
	again := false
	for range 3 {
		again = g.right(time.Millisecond).Passes > 1 || again
	}
	if !again {
		t.Error("one pass was always enough: the cleaner did not work")
	}
}

// With the settings of the design nothing is removed within a pass: it is whole
// by its time, or the next one is by its offsets.
func TestDesignedSettingsOnRealKafka(t *testing.T) {
	g := onRealKafka(t, nil, 2000)
	defer g.churn(30, 50*time.Millisecond)()
	for range 3 {
		if res := g.right(200 * time.Microsecond); res.Passes > 4 { // aborted transactions are holes
			t.Errorf("%d passes", res.Passes)
		}
	}
}

// Somebody else holds a transaction open in the snapshot partition, for longer
// than the cleaner is patient. A load neither waits for it nor misses anything,
// and whoever wants to write is told whose it is.
func TestForeignTransactionOnRealKafka(t *testing.T) {
	g := onRealKafka(t, aggressive, 500)
	defer g.churn(30, 100*time.Millisecond)()
	foreign := g.dial(kgo.TransactionalID("foreign-"+g.source), kgo.TransactionTimeout(time.Minute))
	if err := foreign.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := foreign.ProduceSync(t.Context(), &kgo.Record{Topic: g.snapshots, Key: []byte("x"), Value: []byte("no snapshot")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 8*time.Second; {
		if res := g.right(time.Millisecond); res.Took > 20*time.Second {
			t.Errorf("it took %v", res.Took)
		}
	}
	other := g.config
	other.Prefix = "other"
	if _, err := kafka.OpenSession(t.Context(), other, g.partition()); !errors.Is(err, kafka.ErrOpenTransaction) ||
		!strings.Contains(err.Error(), `(transactional ID "foreign-`+g.source+`")`) || !strings.Contains(err.Error(), "producer ID ") {
		t.Errorf("OpenSession: %v", err)
	}
	if err := foreign.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	g.right(time.Millisecond)
}

// Behind the last watermark stand only aborted records, more than a fetch brings,
// and nobody writes any more.
func TestAbortedTailOnRealKafka(t *testing.T) {
	g := onRealKafka(t, aggressive, 500)
	stop := g.churn(30, 50*time.Millisecond)
	time.Sleep(4 * time.Second)
	stop()
	var tail []kafka.OutRecord
	for n := range 5000 {
		tail = append(tail, Encode([]byte(streamName(n%g.streams)), stateOf(bytes.Repeat([]byte{byte(n)}, 200))))
	}
	g.transact(tail, kgo.TryAbort)
	for range 3 {
		if res := g.right(0); res.Filter.Len() != 0 || res.Position != int64(len(g.events)) {
			t.Errorf("position %d of %d, %d streams remembered", res.Position, len(g.events), res.Filter.Len())
		}
	}
}
