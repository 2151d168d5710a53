package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/internal/e2e/fines"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/snapshot"
)

// stateFields are those of the state of a fine, each the text of the field of the
// same name in its row.
var stateFields = []string{"status", "article", "vehicle_class", "created", "amount", "expense", "penalties", "payments", "paid"}

// TestCompactorOfFines: one worker and three leave the same states: those of an
// independent computation.
func TestCompactorOfFines(t *testing.T) {
	r := importFines(t, 0)
	r.stateSchema()
	r.edit("topic: fines\n", "topic: "+r.topic+"\n")
	r.states(r.topic+".snapshots", r.compactor())
	r.edit("      version: 1\n      topic:", "      version: 2\n      topic:")
	r.states(r.topic+".snapshots.v2", r.compactor(), r.compactor(), r.compactor())
}

// edit changes the configuration.
func (r *fineRun) edit(before, after string) {
	r.t.Helper()
	text, err := os.ReadFile(r.config)
	if err != nil || !strings.Contains(string(text), before) {
		r.t.Fatalf("no %q in %s: %v", before, r.config, err)
	}
	if err := os.WriteFile(r.config, []byte(strings.ReplaceAll(string(text), before, after)), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// compactor starts a worker.
func (r *fineRun) compactor() *Worker {
	r.t.Helper()
	return r.Start(WorkerSpec{Path: binaries.Binary(r.t, "compactor"), Args: []string{"--config", r.config}})
}

// states waits until workers are ready and everything is in the snapshots, and
// compares every state.
func (r *fineRun) states(snapshots string, workers ...*Worker) {
	r.t.Helper()
	for _, w := range workers {
		w.WaitReady(5 * time.Minute)
	}
	var got map[string]fines.Row
	Poll(r.t, time.Minute, func() (bool, string) {
		rows, behind := r.loadStates(snapshots)
		got = rows
		return behind == 0, fmt.Sprintf("the snapshots are %d offsets behind", behind)
	})
	for _, w := range workers {
		w.Terminate()
		w.ended(0)
	}
	want := map[string]fines.Row{}
	for stream, row := range r.want.Views[fines.ViewFine] {
		want[stream] = stateRow(row, r.want.Versions[stream])
	}
	if diff := fines.Diff(want, got); diff != "" {
		r.t.Errorf("topic %s:\n%s", snapshots, diff)
	}
}

// stateRow is the state that is wanted of a fine: its version, and the fields of
// its row that a state has.
func stateRow(row fines.Row, version int64) fines.Row {
	state := loadedRow(row)
	state["version"] = strconv.FormatInt(version, 10)
	return state
}

// loadedRow has the fields of a row that a state has.
func loadedRow(row fines.Row) fines.Row {
	state := fines.Row{}
	for _, field := range stateFields {
		if text, ok := row[field]; ok {
			state[field] = text
		}
	}
	return state
}

// loadStates loads the states as any reader does, and returns how many offsets of
// events are behind their watermarks.
func (r *fineRun) loadStates(snapshots string) (rows map[string]fines.Row, behind int64) {
	r.t.Helper()
	ends, err := r.Admin.ListCommittedOffsets(r.context(), r.topic)
	if err != nil {
		r.t.Fatal(err)
	}
	states := newStateReader(r.t, r.openCodec())
	topic, err := snapshot.Open(r.context(), kafka.Config{Brokers: r.Brokers}, r.topic, snapshots)
	if err != nil {
		r.t.Fatal(err)
	}
	defer topic.Close()
	rows = map[string]fines.Row{}
	for p := range topic.Source.Partitions {
		done, err := snapshot.Resync(r.context(), topic, snapshot.Options{Partition: p}, func(s *snapshot.Record) (err error) {
			if s.Watermark == nil {
				rows[string(s.Stream)], err = states.row(s)
			}
			return err
		})
		if err != nil {
			r.t.Fatal(err)
		}
		behind += ends[r.topic][p].Offset - done.Position
	}
	return rows, behind
}

// openCodec opens the schemas.
func (r *fineRun) openCodec() *avro.Codec {
	r.t.Helper()
	codec, err := avro.OpenFolder(os.Getenv("MILLRACE_SCHEMAS"))
	if err != nil {
		r.t.Fatal(err)
	}
	return codec
}

// stateReader reads states.
type stateReader struct {
	state  streams.Type
	reader streams.Reader
	slots  []streams.Slot
}

func newStateReader(t testing.TB, codec *avro.Codec) *stateReader {
	t.Helper()
	state, err := codec.Types("FineState")
	if err != nil {
		t.Fatal(err)
	}
	reader, err := codec.Reader("FineState", stateFields)
	if err != nil {
		t.Fatal(err)
	}
	return &stateReader{state, reader, make([]streams.Slot, len(stateFields))}
}

// row is what a snapshot says, in the texts that a view shows.
func (s *stateReader) row(r *snapshot.Record) (fines.Row, error) {
	row := fines.Row{"version": strconv.FormatInt(r.Version, 10)}
	err := s.reader.Read(r.Value, s.slots)
	for i, field := range stateFields {
		if text, ok := slotText(s.state.Field(field).Type, &s.slots[i]); ok {
			row[field] = text
		}
	}
	return row, err
}

// slotText is a value as a view shows it.
func slotText(t streams.Type, s *streams.Slot) (text string, ok bool) {
	switch {
	case s.Null:
		return "", false
	case t.Kind == streams.KindInt:
		return itoa(int(s.Int())), true
	case t.Kind == streams.KindDecimal:
		return s.Decimal(t.Scale).String(), true
	}
	return strings.Clone(s.Str), true
}
