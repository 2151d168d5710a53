package snapshot

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/state"
	"github.com/millrace/millrace/streams/streamstest"
)

const (
	source    = "orders"
	snapshots = "orders.snapshots"
	digest    = "d1"
)

// ended is the value of the event that ends a stream.
var ended = []byte("end")

// fold is the fold of these tests: the state of a stream is the list of its
// events, so that one that is missing, doubled or out of order is seen.
func fold(before state.Entry, event *streams.Record) state.Entry {
	after := state.Entry{Offset: event.Offset, Version: before.Version + 1}
	if after.Gone = bytes.Equal(event.Value, ended); !after.Gone {
		after.Value = fmt.Appendf(slices.Clone(before.Value), "%s,", event.Value)
	}
	return after
}

// lab is a source and its snapshots, of one partition each, and whoever writes
// the snapshots.
type lab struct {
	t                 *testing.T
	kafka             *streamstest.Kafka
	source, snapshots string

	states   map[string]state.Entry
	changed  map[string]bool
	position int64 // of the writer in the source
	marked   int64 // the last watermark
	written  int   // events
	txns     int
}

// settings of the snapshot topic where nothing can be told from the time that a
// pass takes, as if the cleaner had no patience. kfake's has none.
var impatient = map[string]string{"min.compaction.lag.ms": "0"}

// newLab returns a lab in this process.
func newLab(t *testing.T, changes map[string]string) *lab {
	t.Helper()
	return labOf(t, streamstest.New(t, streamstest.Options{}).Kafka, source, changes)
}

// newRealLab returns a lab on the Kafka that the environment names, where others
// may be too, or skips the test.
func newRealLab(t *testing.T) *lab {
	t.Helper()
	servers := streamstest.Servers{Brokers: realBrokers(t)}
	return labOf(t, streamstest.Connect(t, servers, streamstest.Options{}).Kafka, fmt.Sprintf("%s-%x", source, rand.Uint64()), nil)
}

func labOf(t *testing.T, k *streamstest.Kafka, topic string, changes map[string]string) *lab {
	t.Helper()
	l := &lab{
		t: t, kafka: k, source: topic, snapshots: topic + ".snapshots",
		states: map[string]state.Entry{}, changed: map[string]bool{},
	}
	l.kafka.CreateTopic(l.source, 1, nil)
	l.create(changes)
	return l
}

// inLab tells a story in a bubble.
func inLab(t *testing.T, changes map[string]string, story func(*lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { story(newLab(t, changes)) })
}

// onGrounds tells a story in this process and, where the environment names one,
// on a real Kafka.
func onGrounds(t *testing.T, story func(*lab)) {
	t.Helper()
	t.Run("virtual", func(t *testing.T) { inLab(t, nil, story) })
	t.Run("real", func(t *testing.T) { story(newRealLab(t)) })
}

// bothWays tells a story on each ground with a defence and without it, where it
// must not end well, or it proves nothing.
func bothWays(t *testing.T, story func(l *lab, defended bool)) {
	t.Helper()
	for _, defended := range []bool{true, false} {
		t.Run(fmt.Sprintf("defended=%v", defended), func(t *testing.T) {
			onGrounds(t, func(l *lab) { story(l, defended) })
		})
	}
}

// create creates the snapshot topic, with changes to its settings.
func (l *lab) create(changes map[string]string) {
	l.t.Helper()
	all := map[string]*string{}
	for name, s := range settings {
		all[name] = &s.value
	}
	for name, value := range changes {
		all[name] = &value
	}
	l.kafka.CreateTopic(l.snapshots, 1, all)
}

func (l *lab) config() kafka.Config {
	return kafka.Config{Brokers: l.kafka.Brokers(), Dialer: l.kafka.Dial}
}

func (l *lab) open() *Topic {
	l.t.Helper()
	topic, err := Open(l.t.Context(), l.config(), l.source, l.snapshots)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(topic.Close)
	return topic
}

// happen writes events of these streams; a minus before one ends it.
func (l *lab) happen(names ...string) {
	l.t.Helper()
	for _, name := range names {
		value := fmt.Appendf(nil, "%d", l.written)
		if name[0] == '-' {
			name, value = name[1:], ended
		}
		l.written++
		l.kafka.ProduceRecords(&streams.Record{Topic: l.source, Key: []byte(name), Value: value})
	}
}

// fold brings the states of the writer up to the end of the source.
func (l *lab) fold() { l.t.Helper(); l.foldTo(l.kafka.LSO(l.source)[0]) }

func (l *lab) foldTo(end int64) {
	l.t.Helper()
	for _, r := range l.kafka.Read(l.source) {
		if r.Offset >= l.position && r.Offset < end {
			l.states[string(r.Key)], l.changed[string(r.Key)] = fold(l.states[string(r.Key)], r), true
		}
	}
	l.position = end
}

// anew is a writer that knows of no snapshot and folds all events before an
// offset.
func (l *lab) anew(end int64) {
	l.t.Helper()
	clear(l.states)
	clear(l.changed)
	l.position = 0
	l.foldTo(end)
	delete(l.changed, "rests") // the log begins with it for ever
	l.put(l.pending()...)
	l.put(l.watermark(end))
	clear(l.changed)
}

// pending are the records of the streams that have changed.
func (l *lab) pending() (records []kafka.OutRecord) {
	for _, stream := range slices.Sorted(maps.Keys(l.changed)) {
		records = append(records, Encode([]byte(stream), l.states[stream]))
	}
	return records
}

func (l *lab) watermark(next int64) kafka.OutRecord {
	l.t.Helper()
	l.marked = next
	w := &Watermark{Topic: l.source, TopicID: l.topicID(l.source), Partitions: 1, Next: next, Digest: digest}
	return l.encoded(w)
}

// beginning is the first record that a compactor writes.
func (l *lab) beginning() kafka.OutRecord {
	l.t.Helper()
	w := Watermark{Topic: l.source, TopicID: l.topicID(l.source), Partitions: 1, Digest: digest}
	r, err := w.Beginning()
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

func (l *lab) encoded(w *Watermark) kafka.OutRecord {
	l.t.Helper()
	r, err := w.Encode()
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

func (l *lab) topicID(topic string) string {
	l.t.Helper()
	config := l.config()
	config.Dialer = l.kafka.Link().Dial // which no fault of a reader reaches
	admin, err := kafka.NewAdmin(config)
	if err != nil {
		l.t.Fatal(err)
	}
	defer admin.Close()
	topics, err := admin.Topics(l.t.Context(), topic)
	if err != nil {
		l.t.Fatal(err)
	}
	return topics[topic].ID
}

// put writes records to the snapshot topic, without a transaction.
func (l *lab) put(out ...kafka.OutRecord) {
	l.t.Helper()
	l.kafka.ProduceRecords(l.records(out)...)
}

func (l *lab) records(out []kafka.OutRecord) (all []*streams.Record) {
	for _, r := range out {
		all = append(all, &streams.Record{Topic: l.snapshots, Key: r.Key, Value: r.Value, Headers: r.Headers})
	}
	return all
}

// begin opens a transaction and writes the records in it.
func (l *lab) begin(out ...kafka.OutRecord) *streamstest.Txn {
	l.t.Helper()
	l.txns++
	txn := l.kafka.Begin(fmt.Sprintf("%s-writer-%d", l.source, l.txns))
	txn.ProduceRecords(l.records(out)...)
	return txn
}

// flush writes what has changed and a watermark, as the compactor does.
func (l *lab) flush() {
	l.t.Helper()
	l.fold()
	l.begin(append(l.pending(), l.watermark(l.position))...).Commit()
	clear(l.changed)
}

// compact removes what was replaced, but for what is in the last batch.
func (l *lab) compact() { l.kafka.Server().Compact() }

// fetchOneBatch has each fetch bring one batch, so that a load is slow.
func (l *lab) fetchOneBatch() {
	server := l.kafka.Server()
	server.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		server.KeepControl()
		for _, t := range kreq.(*kmsg.FetchRequest).Topics {
			for i := range t.Partitions {
				t.Partitions[i].PartitionMaxBytes = 1
			}
		}
		return nil, nil, false
	})
}

// want is the fold of all events.
func (l *lab) want() map[string]state.Entry {
	l.t.Helper()
	all := map[string]state.Entry{}
	for _, r := range l.kafka.Read(l.source) {
		all[string(r.Key)] = fold(all[string(r.Key)], r)
	}
	return all
}

// stateOf is a state that no event has a part in.
func stateOf(value []byte) state.Entry { return state.Entry{Value: value, Version: 1} }
