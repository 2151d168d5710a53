package e2e

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"sort"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/internal/e2e/fines"
	"github.com/millrace/millrace/internal/importer"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/snapshot"
)

const finePartitions = 12

// TestReadersOfFines: what TestReadersOfSnapshots says of random histories, for
// the log of fines. The states that are wanted are those of an independent
// computation.
func TestReadersOfFines(t *testing.T) {
	for name, settings := range readersCases {
		t.Run(name, func(t *testing.T) {
			l := newFineLog(t)
			if settings != nil {
				l.edit("compactor:\n", "compactor:\n  flush_interval: 200ms\n")
			}
			readUnderLoad(l.Env, l, scene{
				partitions: finePartitions, settings: settings,
				fold: foldOf(t, l.config, l.codec), compactor: l.compactor, write: l.write,
			})
		})
	}
}

// fineLog is the log of fines while it is written.
type fineLog struct {
	*fineRun
	lines   *bufio.Scanner
	client  *kgo.Client
	codec   *avro.Codec
	writers map[string]*avro.JSONWriter
	states  *stateReader

	mu   sync.Mutex
	told [finePartitions]toldFines
}

// toldFines is what is known of a partition: what it was at a position, and the
// events from there on.
type toldFines struct {
	oracle *fines.Oracle
	states map[string]fines.Row
	events []toldFine
	end    int64
}

type toldFine struct {
	offset int64
	event  fines.Event
}

// newFineLog returns an empty topic and starts no worker.
func newFineLog(t *testing.T) *fineLog {
	t.Helper()
	r := newFines(t, 100_000) // of all types
	r.edit("topic: fines\n", "topic: "+r.topic+"\n")
	if _, err := importer.Infer(r.context(), r.log, os.Getenv("MILLRACE_SCHEMAS")); err != nil {
		t.Fatal(err)
	}
	r.stateSchema()
	r.kafka().CreateTopic(r.topic, finePartitions, nil)
	codec := r.openCodec()
	l := &fineLog{
		fineRun: r, lines: bufio.NewScanner(repeated(t)), client: r.Client(kgo.RecordPartitioner(kgo.ManualPartitioner())),
		codec: codec, writers: map[string]*avro.JSONWriter{}, states: newStateReader(t, codec),
	}
	for p := range l.told {
		l.told[p].oracle, l.told[p].states = fines.NewOracle(), map[string]fines.Row{}
	}
	return l
}

// repeated is the log of fines, so many times that no test comes to its end.
func repeated(t *testing.T) io.Reader {
	log, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(fines.Repeat(w, 10, fines.Open))
	}()
	t.Cleanup(func() {
		_ = log.Close() // ends the writer, too
		<-done
	})
	return log
}

// write writes the next n events, of which it knows when it returns where they
// are.
func (l *fineLog) write(n int) error {
	records, events := make([]*kgo.Record, n), make([]fines.Event, n)
	for i := range records {
		if !l.lines.Scan() {
			return cmp.Or(l.lines.Err(), io.ErrUnexpectedEOF)
		}
		var err error
		if records[i], events[i], err = l.record(l.lines.Bytes()); err != nil {
			return err
		}
	}
	if err := l.client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, r := range records {
		t := &l.told[r.Partition]
		t.events = append(t.events, toldFine{r.Offset, events[i]})
		t.end = r.Offset + 1
	}
	return nil
}

// record is the record of a line.
func (l *fineLog) record(line []byte) (*kgo.Record, fines.Event, error) {
	var e fines.Event
	var raw struct{ Data json.RawMessage }
	if err := errors.Join(json.Unmarshal(line, &e), json.Unmarshal(line, &raw)); err != nil {
		return nil, e, err
	}
	w := l.writers[e.Type]
	if w == nil {
		var err error
		if w, err = l.codec.JSONWriter(e.Type); err != nil {
			return nil, e, err
		}
		l.writers[e.Type] = w
	}
	value, err := w.EncodeJSON(nil, raw.Data)
	if err != nil {
		return nil, e, err
	}
	r := record(l.topic, e.Stream, e.Type, value, int64(e.Version))
	r.Partition = streams.PartitionOf(r.Key, finePartitions)
	for i, h := range r.Headers {
		if h.Key == streams.HeaderTime {
			r.Headers[i].Value = []byte(e.Time)
		}
	}
	return r, e, nil
}

func (l *fineLog) end(partition int32) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.told[partition].end
}

func (l *fineLog) before(partition int32, position int64) map[string]fines.Row {
	t := &l.told[partition]
	for _, e := range l.take(t, position) {
		if err := t.oracle.Add(e.event); err != nil {
			l.t.Fatal(err)
		}
		t.states[e.event.Stream] = stateRow(t.oracle.Fine(e.event.Stream))
	}
	return t.states
}

// take removes the events before a position.
func (l *fineLog) take(t *toldFines, position int64) []toldFine {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := sort.Search(len(t.events), func(i int) bool { return t.events[i].offset >= position })
	taken := t.events[:n:n]
	t.events = t.events[n:]
	return taken
}

func (l *fineLog) state(s *snapshot.Record) fines.Row {
	row, err := l.states.row(s)
	if err != nil {
		l.t.Fatal(err)
	}
	return row
}

func (l *fineLog) same(what string, want, got map[string]fines.Row) {
	if diff := fines.Diff(want, got); diff != "" {
		l.t.Errorf("%s:\n%s", what, diff)
	}
}
