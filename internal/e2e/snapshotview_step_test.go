package e2e

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/streams/streamstest"
)

// orderViews is the block of a view that begins with the snapshots of orders, in
// many small batches.
const orderViews = `
redis:
  addr: "${MILLRACE_REDIS}"
  prefix: "${MILLRACE_PREFIX}"
projector:
  batch_max_ops: 50
  cold_batch_max_ops: 50
  views:
    - name: order
      topics: [%s]
      from: snapshots
      key: "=stream"
      on_error: stop
      snapshot:
        set: {payments: "=state.payments", paid: "=state.paid"}
      on:
        Paid:
          add: {payments: 1, paid: "=data.amount"}
        Closed:
          delete: true
`

// TestViewKilledAtEachStepOfItsLoad: a worker kills itself before and after each
// request to Kafka and each script that a load of snapshots takes, again and again
// while partitions are loaded, and then at each step with which one of them is.
// Every row is that of all events.
func TestViewKilledAtEachStepOfItsLoad(t *testing.T) {
	const partition, kills = 3, 28
	o := newOrders(New(t), 9)
	o.view()
	o.writeAll(20_000)
	w := o.compactor()
	w.WaitReady(time.Minute)
	o.caughtUp(time.Minute)
	w.Terminate()
	w.ended(0)
	watermark := o.end(partition)
	o.writeAll(4000)

	o.die("projector", 1, drawn(o.loadSteps(), kills, rand.New(rand.NewPCG(10, 0))))
	reading, writing := o.lastSteps(partition, watermark)
	o.die("projector", 1, append(inTurn(reading), writing.at(1, streamstest.FreezeRequest)))
	if at := o.Positions("order", 1)[o.topic+"/"+itoa(partition)]; !strings.HasPrefix(at, "load:") {
		t.Errorf("partition %d is at %s before the end of its load", partition, at)
	}
	o.die("projector", 1, []step{writing.at(1, streamstest.FreezeReply)})
	if at := o.Positions("order", 1)[o.topic+"/"+itoa(partition)]; at != itoa(int(watermark)) {
		t.Errorf("partition %d is at %s after its load, want %d", partition, at, watermark)
	}
	o.die("projector", 1, inTurn(o.firstSteps(watermark)))

	o.writeAll(1000)
	last := o.Start(WorkerSpec{Path: binaries.Binary(t, "projector"), Args: []string{"--config", "orders.yaml"}, Dir: o.dir, Env: []string{"INSTANCE=0"}})
	last.WaitReady(time.Minute)
	o.WaitCaughtUp(time.Minute, o.topic, "order")
	o.rowsAreOfAllEvents()
}

// view adds the view to the configuration.
func (o *orders) view() {
	o.t.Helper()
	f, err := os.OpenFile(filepath.Join(o.dir, "orders.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		o.t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, orderViews, o.topic); err != nil {
		o.t.Fatal(err)
	}
}

// writeAll writes n events of many streams.
func (o *orders) writeAll(n int) {
	o.t.Helper()
	const once = 1000
	for ; n > 0; n -= once {
		if err := o.write(once, 6000); err != nil {
			o.t.Fatal(err)
		}
	}
}

// loadSteps are what a worker asks for that loads at least one partition.
func (o *orders) loadSteps() []kind {
	return []kind{
		o.script(1, "define"),
		o.script(1, "assign"),
		request(1, "ListOffsets of the LSO of events", listing(o.topic, orderPartitions, true)),
		request(2, "ListOffsets of the first snapshot", listing(o.snapshots, 1, false), []byte(firstOffset)),
		request(4, "ListOffsets of the LSO of snapshots", listing(o.snapshots, 1, true)),
		request(2, "ListOffsets of the end of snapshots", listing(o.snapshots, 1, false), []byte(endOffset)),
		request(2, "Fetch of snapshots", o.topicID(o.snapshots)),
		o.script(4, "apply of snapshots", []byte(o.snapshots+"/")),
	}
}

// lastSteps are what a worker asks for when it has read the snapshots of a
// partition: whether events go on from there, and then the last batch.
func (o *orders) lastSteps(partition uint32, watermark int64) (reading []kind, writing kind) {
	events := func(committed bool) []byte {
		return binary.BigEndian.AppendUint32(listing(o.topic, 1, committed), partition)
	}
	return []kind{
		request(1, "ListOffsets of the first event", events(false), []byte(firstOffset)),
		request(1, "ListOffsets of the LSO of a partition", events(true)),
	}, o.script(1, "apply of the last snapshots", argument(watermark))
}

// firstSteps are what a worker asks for when a partition is loaded: events, their
// first batch, and whether the view is hot.
func (o *orders) firstSteps(watermark int64) []kind {
	return []kind{
		request(1, "Fetch of events", o.topicID(o.topic)),
		o.script(1, "apply of the first events", argument(watermark)),
		o.script(1, "mark"),
	}
}

// argument is a number as calls of scripts hold it.
func argument(n int64) []byte { return fmt.Appendf(nil, "\r\n%d\r\n", n) }

// script is the kind of the calls of a script that hold some bytes. Redis is given
// the script: what it does not know is called twice.
func (o *orders) script(most int, name string, holds ...[]byte) kind {
	o.t.Helper()
	file, _, _ := strings.Cut(name, " ")
	source, err := os.ReadFile(filepath.Join(Root(o.t), "streams", "projection", file+".lua"))
	if err != nil {
		o.t.Fatal(err)
	}
	hash, err := o.Redis.ScriptLoad(o.context(), string(source)).Result()
	if err != nil {
		o.t.Fatal(err)
	}
	return kind{step{"redis", name, streamstest.Fault{Request: "EVALSHA", Holds: append(holds, []byte(hash))}}, most}
}

// rowsAreOfAllEvents compares every row with what the events of its stream fold to.
func (o *orders) rowsAreOfAllEvents() {
	o.t.Helper()
	got, want := o.Rows("order", 1), map[string]map[string]string{}
	for stream, is := range o.now {
		if !is.gone {
			paid := strconv.FormatFloat(float64(is.cents)/100, 'f', -1, 64)
			want[stream] = map[string]string{"payments": itoa(int(is.payments)), "paid": paid}
		}
	}
	wrong := 0
	for stream, row := range want {
		if !maps.Equal(got[stream], row) {
			if wrong++; wrong <= 5 {
				o.t.Errorf("%s is %v, want %v", stream, got[stream], row)
			}
		}
	}
	count := o.Redis.Get(o.context(), o.Prefix+"{order.1}:m:rows").Val()
	if wrong > 0 || len(got) != len(want) || count != itoa(len(want)) {
		o.t.Errorf("%d rows are wrong; there are %d, the view counts %s, want %d", wrong, len(got), count, len(want))
	}
}
