package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/streamstest"
)

// An import is killed at seeded points. The next one completes what it left:
// every line is there once, in order.
func TestKilledImport(t *testing.T) {
	const kills = 4
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	r := newFines(t, 400_000)
	written := 0
	for range kills {
		w := r.importer()
		Poll(t, time.Minute, func() (bool, string) { return r.written() > written, "the import writes nothing" })
		time.Sleep(time.Duration(rnd.IntN(100)) * time.Millisecond) // the seeded point
		w.Kill()
		written = r.written()
	}
	if n := len(r.kafka().Read(r.topic)); n >= r.want.Events {
		t.Errorf("all %d lines were written before the last kill: that proves nothing", n)
	}
	r.importer().ended(0)
	r.visible(r.topic)
	r.inOrder()
}

// written is where the topic ends, 0 where there is none yet.
func (r *fineRun) written() (sum int) {
	r.t.Helper()
	ends, err := r.Admin.ListCommittedOffsets(r.context(), r.topic)
	if err != nil {
		return 0
	}
	for _, p := range ends[r.topic] {
		sum += int(max(0, p.Offset))
	}
	return sum
}

// inOrder looks that the topic has each event of the lines once, and those of
// a stream in order.
func (r *fineRun) inOrder() {
	r.t.Helper()
	versions, types := map[streams.StreamID]int64{}, map[string]int{}
	for _, record := range r.kafka().Read(r.topic) {
		event, err := streams.ParseEvent(record)
		if err != nil {
			r.t.Fatal(err)
		}
		version, err := event.Version()
		if err != nil || version != versions[event.Stream]+1 {
			r.t.Fatalf("stream %s: version %d follows %d, %v", event.Stream, version, versions[event.Stream], err)
		}
		versions[event.Stream] = version
		types[event.Type]++
	}
	if !maps.Equal(types, r.want.Types) {
		r.t.Errorf("the topic has events by type %v, want %v", types, r.want.Types)
	}
}

// visible waits until readers see what was committed to a topic: brokers answer
// an import before.
func (e *Env) visible(topic string) {
	e.t.Helper()
	Poll(e.t, time.Minute, func() (bool, string) {
		ends, err := e.Admin.ListEndOffsets(e.context(), topic)
		if err != nil {
			return false, err.Error()
		}
		stable, err := e.Admin.ListCommittedOffsets(e.context(), topic)
		same := err == nil && ends.Error() == nil && stable.Error() == nil
		ends.Each(func(o kadm.ListedOffset) {
			s, ok := stable.Lookup(topic, o.Partition)
			same = same && ok && s.Offset == o.Offset
		})
		return same, fmt.Sprintf("a transaction of topic %s is open", topic)
	})
}

// kafka reads and writes for the test.
func (e *Env) kafka() *streamstest.Kafka {
	e.t.Helper()
	return streamstest.Connect(e.t, streamstest.Servers{Brokers: e.Brokers, Redis: e.RedisAddr}, streamstest.Options{}).Kafka
}

// feed is the standard input of an import.
type feed struct {
	*Worker
	payments *payments
	lines    *os.File
}

// importer starts an import of the lines that it is fed.
func (p *payments) importer() *feed {
	p.t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = write.Close() })
	defer func() { _ = read.Close() }() // the import has its own
	w := p.Start(WorkerSpec{
		Name: "import", Path: binaries.Binary(p.t, "millrace"), Dir: p.dir, Stdin: read,
		Args: []string{"import", "--config", filepath.Join(p.dir, "orders.yaml"), "--topic", p.topic, "--partitions", itoa(paidPartitions), "-"},
	})
	return &feed{w, p, write}
}

// pay gives an import the payments from first to last of each of the streams.
func (f *feed) pay(streams, first, last int) {
	f.t.Helper()
	var text strings.Builder
	for version := first; version <= last; version++ {
		for n := range streams {
			fmt.Fprintf(&text, `{"stream":"order-%d","version":%d,"type":"Paid","time":"2024-03-01T09:15:00+01:00","data":{"amount":1.10}}`+"\n", n, version)
		}
	}
	if _, err := f.lines.WriteString(text.String()); err != nil {
		f.t.Fatalf("feeding %s: %v", f.name, err)
	}
}

// end closes the input of an import and waits until it has ended, with that
// code.
func (f *feed) end(code int) {
	f.t.Helper()
	if err := f.lines.Close(); err != nil {
		f.t.Fatal(err)
	}
	f.ended(code)
	f.payments.visible(f.payments.topic)
}

// Two imports write one topic: the second one fences the first, which says so,
// and a third completes what is missing.
func TestSecondImportFencesTheFirst(t *testing.T) {
	const streams = 60
	p := newPayments(t)
	events := func(n int) {
		t.Helper()
		Poll(t, time.Minute, func() (bool, string) {
			got := len(p.kafka.Read(p.topic))
			return got == n, fmt.Sprintf("the topic has %d events, want %d", got, n)
		})
	}
	first := p.importer()
	first.pay(streams, 1, 2)
	events(2 * streams)
	second := p.importer()
	second.pay(streams, 1, 3)
	second.end(0)
	first.pay(streams, 3, 5)
	first.end(1)
	if want := "another import of " + p.topic; !strings.Contains(first.Log(), want) {
		t.Errorf("the first import does not say %q", want)
	}
	events(3 * streams)

	third := p.importer()
	third.pay(streams, 1, 6)
	third.end(0)
	p.projector()
	p.caughtUp(time.Minute)
	p.each(streams, 6)
}

// each looks that each of the streams has so many payments.
func (p *payments) each(streams, payments int) {
	p.t.Helper()
	rows := p.Rows(paidView, 1)
	for n := range streams {
		if row := rows["order-"+itoa(n)]; row["payments"] != itoa(payments) {
			p.t.Errorf("row order-%d is %v, want %d payments", n, row, payments)
		}
	}
	if len(rows) != streams {
		p.t.Errorf("%d rows, want %d", len(rows), streams)
	}
}
