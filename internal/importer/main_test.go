package importer

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/streamstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const topic = "fines"

// jsonEncoder takes the data as the value, unless it says that it does not fit.
type jsonEncoder struct{}

func (jsonEncoder) EncodeJSON(dst []byte, data json.RawMessage) ([]byte, error) {
	if bytes.Contains(data, []byte("misfit")) {
		return nil, errors.New("data.misfit does not fit")
	}
	return append(dst, data...), nil
}

func encoders(eventType string) (Encoder, error) {
	if !strings.HasPrefix(eventType, "Fine") {
		return nil, fmt.Errorf("event type %s has no schema", eventType)
	}
	return jsonEncoder{}, nil
}

// lineOf is a line without faults.
func lineOf(stream string, version int64) string {
	return fmt.Sprintf(`{"stream":%q,"version":%d,"type":"FineCreated","time":"2000-01-01T00:00:00+01:00","data":{"n":%d}}`, stream, version, version)
}

func writeFile(t *testing.T, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "fines.jsonl")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func compress(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// options are those of an import through a link of its own.
func options(k *streamstest.Kafka, file string) (Options, *streamstest.Link) {
	link := k.Link()
	return Options{
		Kafka:    kafka.Config{Brokers: k.Brokers(), Dialer: link.Dial},
		Topic:    topic,
		File:     file,
		Encoders: encoders,
	}, link
}

// importFile imports without faults.
func importFile(t *testing.T, k *streamstest.Kafka, file string) Report {
	t.Helper()
	o, _ := options(k, file)
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// counts are those of a report.
type counts struct{ Lines, Written, Present, Failed, Held int64 }

func wantCounts(t *testing.T, r Report, want counts) {
	t.Helper()
	if got := (counts{r.Lines, r.Written, r.Present, r.Failed, r.Held}); got != want {
		t.Errorf("counts = %+v, want %+v\n%v", got, want, r)
	}
}

// wantVersions checks that the topic holds exactly the versions from 1 to the
// highest of each stream, in order and each in its partition.
func wantVersions(t *testing.T, k *streamstest.Kafka, highest map[string]int64) {
	t.Helper()
	got := map[string]int64{}
	partitions := map[int32]bool{}
	for _, r := range k.Read(topic) {
		event, err := streams.ParseEvent(r)
		if err != nil {
			t.Fatal(err)
		}
		version, err := event.Version()
		if err != nil {
			t.Fatal(err)
		}
		partitions[r.Partition] = true
		stream := string(event.Stream)
		if got[stream]++; got[stream] != version {
			t.Fatalf("stream %s has version %d where %d should be", stream, version, got[stream])
		}
	}
	for stream, n := range highest {
		if got[stream] != n {
			t.Errorf("stream %s has %d events, want %d", stream, got[stream], n)
		}
		delete(got, stream)
	}
	if len(got) > 0 {
		t.Errorf("streams that nobody imported: %v", got)
	}
}
