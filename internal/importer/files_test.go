package importer

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/streamstest"
)

// A topic that is deleted while it is written to: nobody will create it.
func TestTopicDeletedWhileItIsWrittenTo(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		o, _ := options(k, Stdin)
		var log strings.Builder
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		pipe := make(pipeReader)
		o.Input = pipe
		done := make(chan error, 1)
		go func() { _, err := Run(context.Background(), o); done <- err }()
		pipe <- lineOf("fine-1", 1) + "\n"
		time.Sleep(2 * batchWait)
		if err := k.Server().DeleteTopic(topic); err != nil {
			t.Fatal(err)
		}
		pipe <- lineOf("fine-1", 2) + "\n"
		select {
		case err := <-done:
			if !errors.Is(err, kafka.ErrNoTopic) || !strings.Contains(err.Error(), "import again") {
				t.Errorf("Run: %v", err)
			}
			if strings.Contains(log.String(), "answers again") {
				t.Errorf("log:\n%s", log.String())
			}
		case <-time.After(10 * time.Minute):
			t.Errorf("waits for ever; log:\n%s", log.String())
			k.CreateTopic(topic, 12, nil)
		}
		close(pipe)
	})
}

// A named pipe whose writer says nothing, as `millrace import <(zcat …)` opens:
// an import that is called off does not wait for it.
func TestSilentPipeHoldsUpNobody(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip(err)
	}
	writer, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if _, err := writer.WriteString(lineOf("fine-1", 1) + "\n"); err != nil {
		t.Fatal(err)
	}
	k := streamstest.New(t, streamstest.Options{}).Kafka
	o, _ := options(k, name)
	ctx, cancel := context.WithCancel(t.Context())
	written := make(chan struct{})
	o.Progress = func(p Progress) {
		if p.Written == 1 {
			select {
			case <-written:
			default:
				close(written)
			}
		}
	}
	done := make(chan error, 1)
	go func() { _, err := Run(ctx, o); done <- err }()
	<-written
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("waits for the pipe")
		writer.Close()
	}
}

// What people have instead of a file of JSON lines.
func TestFilesOfOtherForms(t *testing.T) {
	line, next := lineOf("fine-1", 1), lineOf("fine-1", 2)
	cut := compress(t, line+"\n"+next+"\n")
	for name, tt := range map[string]struct {
		content string
		want    string // of the error, or of the report
		written int64
	}{
		"no newline at the end":    {line + "\n" + next, "2 lines read, 2 written", 2},
		"carriage returns":         {line + "\r\n" + next + "\r\n", "2 lines read, 2 written", 2},
		"byte order mark":          {"\ufeff" + line, "1 lines read, 1 written", 1},
		"two byte order marks":     {"\ufeff" + line + "\n\ufeff" + next, "1 failed", 1},
		"empty":                    {"", "0 lines read, 0 written", 0},
		"blank lines":              {"\n \n\r\n\n", "0 lines read", 0},
		"cut in the midst":         {line + "\n" + next[:30], ":2: not JSON: unexpected end of JSON input", 1},
		"zeros at the end":         {line + "\n\x00\x00\x00\x00", ":2: not JSON: invalid character '\\x00'", 1},
		"two on a line":            {line + next, ":1: not JSON: invalid character '{' after top-level value at byte", 0},
		"a list of lines":          {"[\n" + line + ",\n" + next + "\n]", ":1: not JSON", 0},
		"not UTF-8":                {line + "\n" + strings.Replace(next, "FineC", "Fine\xff", 1), ":2: not UTF-8 at byte 44", 1},
		"compressed in two pieces": {string(compress(t, line+"\n")) + string(compress(t, next+"\n")), "2 lines read, 2 written", 2},
		"compressed and cut":       {string(cut[:len(cut)-20]), "after line 1: the compressed file ends in the midst", 1},
		"compressed and damaged":   {string(cut[:len(cut)-5]) + "xxxxx", "after line 2: the compressed file is damaged (gzip: invalid checksum); get it anew", 2},
		"compressed, head only":    {string(cut[:5]), "the compressed file ends in the midst", 0},
		"UTF-16":                   {"\xff\xfe{\x00\"\x00", "is UTF-16; convert it to UTF-8", 0},
		"zstd":                     {"\x28\xb5\x2f\xfd\x04\x00", "is compressed by zstd; unpack it", 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, k *streamstest.Kafka) {
				file := filepath.Join(t.TempDir(), "fines.jsonl")
				if err := os.WriteFile(file, []byte(tt.content), 0o600); err != nil {
					t.Fatal(err)
				}
				o, _ := options(k, file)
				report, err := Run(t.Context(), o)
				said := report.String()
				if err != nil {
					said = err.Error()
				}
				if !strings.Contains(said, tt.want) || !strings.Contains(said, file) || report.Written != tt.written {
					t.Errorf("%d written, error %v\n%v", report.Written, err, report)
				}
			})
		})
	}
}

func TestFileThatIsNone(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		folder := t.TempDir()
		for name, want := range map[string]string{folder: "is a directory", filepath.Join(folder, "none"): "no such file"} {
			o, _ := options(k, name)
			if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Run: %v", err)
			}
		}
	})
}
