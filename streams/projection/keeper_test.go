package projection

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/rules"
	"github.com/millrace/millrace/streams/snapshot"
	"github.com/millrace/millrace/streams/state"
	"github.com/millrace/millrace/streams/streamstest"
)

// What the snapshots of these tests are made of. A stream ends when it is closed,
// and begins again with the next payment.
const (
	closedSchema = `{"type":"record","name":"Closed","fields":[]}`
	orderSchema  = `{"type":"record","name":"Order","fields":[
		{"name":"payments","type":["null","long"],"default":null},
		{"name":"paid","type":["null",{"type":"bytes","logicalType":"decimal","precision":18,"scale":2}],"default":null},
		{"name":"largest","type":["null",{"type":"bytes","logicalType":"decimal","precision":18,"scale":2}],"default":null},
		{"name":"closed","type":"boolean","default":false}]}`

	orderFold = `
name: order
topic: orders
state: Order
on_error: stop
gone: "=state.closed"
on:
  Paid:
    add: {payments: 1, paid: "=data.amount"}
    max: {largest: "=data.amount"}
  Closed: {set: {closed: true}}
`

	snapshotView = `
- name: order
  version: 1
  topics: [orders]
  from: snapshots
  key: "=stream"
  on_error: stop
  snapshot:
    set: {payments: "=state.payments", paid: "=state.paid", largest: "=state.largest"}
  on:
    Paid:
      add: {payments: 1, paid: "=data.amount"}
      max: {largest: "=data.amount"}
    Closed: {delete: true}
`
)

// replayView gives the same rows, from the first event on.
var replayView = strings.NewReplacer("name: order", "name: replay", "  from: snapshots\n", "",
	"  snapshot:\n    set: {payments: \"=state.payments\", paid: \"=state.paid\", largest: \"=state.largest\"}\n", "").Replace(snapshotView)

// foldOf is the fold of the lab's topic.
func (l *lab) foldOf(topic string) *rules.Fold {
	l.t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(strings.Replace(orderFold, "topic: orders", "topic: "+topic, 1)), &node); err != nil {
		l.t.Fatal(err)
	}
	f, problems := rules.ParseFold(&node)
	if len(problems) > 0 {
		l.t.Fatal(problems)
	}
	return f
}

func (l *lab) closed(stream int) streamstest.Event { return l.event("Closed", stream, "{}") }

// keeper writes the snapshots of a lab's topic, by a fold of its own.
type keeper struct {
	*lab
	digest string
	orders map[string]order
	next   map[int32]int64 // the watermarks
}

// order is the state of a stream.
type order struct {
	payments      int64
	paid, largest streams.Decimal
	version, last int64
	partition     int32
	gone          bool
}

// patience is how long a load may stand still.
const patience = 5 * time.Minute

func (l *lab) snapshots() string { return l.topic + ".snapshots" }

// keeper makes the snapshot topic.
func (l *lab) keeper() *keeper {
	l.t.Helper()
	l.createSnapshots()
	return &keeper{lab: l, digest: "d1", orders: map[string]order{}, next: map[int32]int64{}}
}

func (l *lab) createSnapshots() {
	l.t.Helper()
	settings := map[string]*string{}
	for name, value := range map[string]string{
		"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime", "min.compaction.lag.ms": "0", "delete.retention.ms": strconv.Itoa(int(2 * patience.Milliseconds())),
	} {
		settings[name] = &value
	}
	l.Kafka.CreateTopic(l.snapshots(), partitions, settings)
}

// fold folds the events of a partition from its watermark up to an offset, and
// returns the streams that have changed, in order.
func (k *keeper) fold(p int32, until int64) []string {
	k.t.Helper()
	reader, err := k.codec.Reader("Paid", []string{"amount"})
	if err != nil {
		k.t.Fatal(err)
	}
	changed := map[string]bool{}
	for _, r := range k.Kafka.Read(k.topic) {
		if r.Partition != p || r.Offset < k.next[p] || r.Offset >= until {
			continue
		}
		o := k.orders[string(r.Key)]
		if o.gone {
			o = order{version: o.version}
		}
		o.partition, o.last = p, r.Offset
		o.version++
		e, err := streams.ParseEvent(r)
		if err != nil {
			k.t.Fatal(err)
		}
		if o.gone = e.Type == "Closed"; !o.gone {
			slot := make([]streams.Slot, 1)
			if err := reader.Read(r.Value, slot); err != nil {
				k.t.Fatal(err)
			}
			o.pay(slot[0].Decimal(2))
		}
		k.orders[string(r.Key)] = o
		changed[string(r.Key)] = true
	}
	k.next[p] = max(k.next[p], until)
	return slices.Sorted(maps.Keys(changed))
}

func (o *order) pay(amount streams.Decimal) {
	if o.payments == 0 || amount.Cmp(o.largest) > 0 {
		o.largest = amount
	}
	o.payments++
	o.paid = o.paid.Add(amount)
}

// snapshot is the record of a stream.
func (k *keeper) snapshot(stream string) *streams.Record {
	k.t.Helper()
	o := k.orders[stream]
	e := state.Entry{Offset: o.last, Version: o.version, Gone: o.gone}
	if !o.gone {
		w, err := k.codec.Writer("Order", []string{"payments", "paid", "largest"})
		if err != nil {
			k.t.Fatal(err)
		}
		slots := make([]streams.Slot, 3)
		slots[0].SetInt(o.payments)
		slots[1].SetDecimal(o.paid, 18, 2)
		slots[2].SetDecimal(o.largest, 18, 2)
		if e.Value, err = w.Write(nil, slots); err != nil {
			k.t.Fatal(err)
		}
	}
	return k.record(o.partition, snapshot.Encode([]byte(stream), e))
}

func (k *keeper) watermark(p int32) *streams.Record {
	k.t.Helper()
	w := snapshot.Watermark{Topic: k.topic, Partition: p, Partitions: partitions, Next: k.next[p], Digest: k.digest}
	r, err := w.Encode()
	if err != nil {
		k.t.Fatal(err)
	}
	return k.record(p, r)
}

func (k *keeper) record(p int32, r kafka.OutRecord) *streams.Record {
	return &streams.Record{Topic: k.snapshots(), Partition: p, Key: r.Key, Value: r.Value, Headers: r.Headers}
}

// flush writes the snapshots of what has happened in a partition up to an offset,
// and the watermark.
func (k *keeper) flush(p int32, until int64) {
	k.t.Helper()
	k.put(p, k.fold(p, until))
}

// put writes the snapshots of streams of a partition, and the watermark.
func (k *keeper) put(p int32, changed []string) {
	k.t.Helper()
	var records []*streams.Record
	for _, stream := range changed {
		records = append(records, k.snapshot(stream))
	}
	x := k.Kafka.Begin(k.topic + ".keeper")
	x.ProduceRecords(append(records, k.watermark(p))...)
	x.Commit()
}

// halfway writes the snapshots of all that has happened in a partition behind a
// watermark that covers only what is before an offset, so that a load of them waits.
func (k *keeper) halfway(p int32, watermark int64) {
	k.t.Helper()
	changed := k.fold(p, k.Kafka.LSO(k.topic)[p])
	covered := k.next[p]
	k.next[p] = watermark
	records := []*streams.Record{k.watermark(p)}
	k.next[p] = covered
	for _, stream := range changed {
		records = append(records, k.snapshot(stream))
	}
	k.Kafka.ProduceRecords(records...)
}

// untilHalfway waits until the load of a partition has read all that halfway wrote.
func (k *keeper) untilHalfway(p int32) {
	k.t.Helper()
	end := k.Kafka.LSO(k.snapshots())[p]
	k.until("load that waits", func() bool { return k.loaded(p) == end })
}

// loaded is how far the load of a partition is; -1 where there is none.
func (k *keeper) loaded(p int32) int64 {
	position := k.bookkeeping(k.views[0]).Positions[k.at(p)]
	if !position.Loading() {
		return -1
	}
	return position.Load.Next
}

// following says that a partition has an offset for its position.
func (k *keeper) following(p int32) bool { return k.position(k.views[0], p) >= 0 }

// keep writes the snapshots of all that has happened.
func (k *keeper) keep() {
	k.t.Helper()
	for p, stable := range k.Kafka.LSO(k.topic) {
		k.flush(p, stable)
	}
}

// want returns the rows that all events come to.
func (k *keeper) want() map[string]map[string]string {
	k.t.Helper()
	all := &keeper{lab: k.lab, orders: map[string]order{}, next: map[int32]int64{}}
	for p, stable := range k.Kafka.LSO(k.topic) {
		all.fold(p, stable)
	}
	return all.folded()
}

// folded returns the rows of what was folded.
func (k *keeper) folded() map[string]map[string]string {
	want := map[string]map[string]string{}
	for stream, o := range k.orders {
		if !o.gone {
			want[stream] = map[string]string{"payments": fmt.Sprint(o.payments), "paid": o.paid.String(), "largest": o.largest.String()}
		}
	}
	return want
}

// right says whether the rows of the first view, and their number, are those that
// all events come to.
func (k *keeper) right() bool {
	k.t.Helper()
	rows, want := k.rows(k.views[0]), k.want()
	return k.bookkeeping(k.views[0]).Rows == int64(len(want)) && maps.EqualFunc(rows, want, maps.Equal)
}

// onSnapshots tells a story on virtual services and on real ones, with a view that
// begins with snapshots.
func onSnapshots(t *testing.T, story func(k *keeper)) {
	t.Helper()
	onGrounds(t, snapshotView, func(l *lab) { story(l.keeper()) })
}

// bothLoads is bothWays for such a view.
func bothLoads(t *testing.T, story func(k *keeper, defended bool) (right bool)) {
	t.Helper()
	for _, defended := range []bool{true, false} {
		t.Run(fmt.Sprintf("defended=%v", defended), func(t *testing.T) {
			onSnapshots(t, func(k *keeper) {
				if story(k, defended) != defended {
					k.t.Errorf("right: %v\n%v\nwant\n%v\n%s", !defended, k.rows(k.views[0]), k.want(), k.logs)
				}
			})
		})
	}
}
