package importer

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/streamstest"
)

func bubble(t *testing.T, test func(t *testing.T, k *streamstest.Kafka)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, streamstest.New(t, streamstest.Options{}).Kafka) })
}

func TestImport(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		o, _ := options(k, writeFile(t, lineOf("fine-1", 1), lineOf("fine-2", 1), "", lineOf("fine-1", 2)))
		var last Progress
		o.Progress = func(p Progress) { last = p }
		report, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		wantCounts(t, report, counts{Lines: 3, Written: 3})
		if !report.OK() || report.Topic != topic || report.File != o.File {
			t.Errorf("report: %+v", report)
		}
		if last.Read != last.Size || last.Size == 0 || last.Written != 3 {
			t.Errorf("last progress: %+v", last)
		}
		wantVersions(t, k, map[string]int64{"fine-1": 2, "fine-2": 1})
		wantHeaders(t, k.Read(topic))
	})
}

func wantHeaders(t *testing.T, records []*streams.Record) {
	t.Helper()
	for _, r := range records {
		if string(r.Key) != "fine-1" {
			continue
		}
		got, err := streams.ParseEvent(r)
		want := streams.Event{
			ID: EventID(topic, "fine-1", 1), Type: "FineCreated", Source: DefaultSource, Stream: "fine-1",
			Time: "2000-01-01T00:00:00+01:00", Sequence: "00000000000000000001",
			Correlation: EventID(topic, "fine-1", 1), ContentType: streams.ContentTypeAvro,
		}
		if err != nil || got != want {
			t.Errorf("event %+v, %v, want %+v", got, err, want)
		}
		if string(r.Value) != `{"n":1}` || r.Partition != streams.PartitionOf(r.Key, DefaultPartitions) {
			t.Errorf("record %+v", r)
		}
		return
	}
}

// The ID of an event is part of the record format.
func TestEventID(t *testing.T) {
	const want = "2b664b51-1efa-5ee2-9f71-bc161831d741"
	if got := EventID("fines", "fine-S38735", 1); got != want {
		t.Errorf("EventID = %s, want %s", got, want)
	}
}

func TestSecondRunSkipsWhatIsThere(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		file := writeFile(t, lineOf("fine-1", 1), lineOf("fine-2", 1), lineOf("fine-1", 2))
		importFile(t, k, file)
		wantCounts(t, importFile(t, k, file), counts{Lines: 3, Present: 3})
		wantCounts(t, importFile(t, k, writeFile(t, lineOf("fine-1", 2), lineOf("fine-1", 3))), counts{Lines: 2, Written: 1, Present: 1})
		wantVersions(t, k, map[string]int64{"fine-1": 3, "fine-2": 1})
	})
}

func TestFailedLineHoldsItsStreamBack(t *testing.T) {
	bad := map[string]struct{ line, reason string }{
		"gap":          {lineOf("fine-1", 3), "stream fine-1: version 3 is not the next one, 2 is missing"},
		"misfit":       {`{"stream":"fine-1","version":2,"type":"FineCreated","time":"2000-01-01T00:00:00Z","data":{"misfit":1}}`, "data.misfit does not fit"},
		"type":         {`{"stream":"fine-1","version":2,"type":"Oops","time":"2000-01-01T00:00:00Z","data":{}}`, "event type Oops has no schema"},
		"unknown key":  {`{"stream":"fine-1","version":2,"typ":"FineCreated","time":"2000-01-01T00:00:00Z","data":{}}`, `unknown key "typ"; did you mean "type"?`},
		"large":        {strings.Replace(lineOf("fine-1", 2), `"n":2`, `"n":"`+strings.Repeat("x", maxRecord)+`"`, 1), "bytes as a record"},
		"no JSON":      {`{"stream":"fine-1",`, "not JSON: "},
		"too long":     {strings.Repeat("x", maxLine+1), "the line is longer than 8 MiB"},
		"empty stream": {strings.Replace(lineOf("fine-1", 2), "fine-1", "", 1), "stream: not a stream ID: it is empty"},
	}
	for name, b := range bad {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, k *streamstest.Kafka) {
				file := writeFile(t, lineOf("fine-1", 1), b.line, lineOf("fine-1", 4), lineOf("fine-2", 1), lineOf("fine-1", 5))
				report := importFile(t, k, file)
				if report.OK() || len(report.Problems) == 0 || report.Problems[0].Line != 2 || !strings.Contains(report.Problems[0].Reason, b.reason) {
					t.Errorf("report: %v", report)
				}
				if report.Failed+report.Held != 3 || report.Written != 2 {
					t.Errorf("report: %v", report)
				}
				wantVersions(t, k, map[string]int64{"fine-1": 1, "fine-2": 1})

				mended := writeFile(t, lineOf("fine-1", 1), lineOf("fine-1", 2), lineOf("fine-1", 3), lineOf("fine-1", 4), lineOf("fine-2", 1), lineOf("fine-1", 5))
				wantCounts(t, importFile(t, k, mended), counts{Lines: 6, Written: 4, Present: 2})
				wantVersions(t, k, map[string]int64{"fine-1": 5, "fine-2": 1})
			})
		})
	}
}

// A held stream stays held although its missing version comes later.
func TestHeldStreamKeepsItsOrder(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		file := writeFile(t, lineOf("fine-1", 2), lineOf("fine-1", 1), lineOf("fine-1", 2))
		wantCounts(t, importFile(t, k, file), counts{Lines: 3, Failed: 1, Held: 2})
		wantVersions(t, k, nil)
	})
}

func TestReportNamesTheFirstProblems(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		var lines []string
		for range 3 * MaxProblems {
			lines = append(lines, "x")
		}
		report := importFile(t, k, writeFile(t, lines...))
		if report.Failed != 3*MaxProblems || len(report.Problems) != MaxProblems {
			t.Fatalf("%d failed, %d named", report.Failed, len(report.Problems))
		}
		for i, p := range report.Problems {
			if p.Line != int64(i+1) {
				t.Errorf("problem %d is of line %d", i, p.Line)
			}
		}
		text := report.String()
		for _, want := range []string{
			report.File + ":1: not JSON", "… and 40 more\n",
			"60 lines read, 0 written, 0 already there, 60 failed, 0 held back behind them",
			"mend the file and import it again",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in\n%s", want, text)
			}
		}
	})
}

func TestImportFromStdin(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		o, _ := options(k, Stdin)
		o.Input = strings.NewReader(string(compress(t, "\ufeff"+lineOf("fine-1", 1)+"\r\n"+lineOf("fine-1", 2))))
		report, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		wantCounts(t, report, counts{Lines: 2, Written: 2})
	})
}

// What was read before the damage is written, and the damage is named.
func TestDamagedFile(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		whole := compress(t, lineOf("fine-1", 1)+"\n"+lineOf("fine-1", 2)+"\n")
		o, _ := options(k, Stdin)
		o.Input = strings.NewReader(string(whole[:len(whole)-6]))
		report, err := Run(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), "reading stdin after line 2: the compressed file ends in the midst") {
			t.Errorf("Run: %v", err)
		}
		wantCounts(t, report, counts{Lines: 2, Written: 2})
		wantVersions(t, k, map[string]int64{"fine-1": 2})
	})
}

func TestSlowInputIsWritten(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		o, _ := options(k, Stdin)
		pipe := make(pipeReader)
		o.Input = pipe
		done := make(chan error)
		go func() { _, err := Run(context.Background(), o); done <- err }()
		pipe <- lineOf("fine-1", 1) + "\n"
		time.Sleep(2 * batchWait)
		wantVersions(t, k, map[string]int64{"fine-1": 1})
		close(pipe)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// pipeReader is a pipe whose reader blocks in a way that a bubble knows.
type pipeReader chan string

func (p pipeReader) Read(b []byte) (int, error) {
	s, ok := <-p
	if !ok {
		return 0, io.EOF
	}
	return copy(b, s), nil
}
