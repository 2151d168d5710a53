package importer

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/streamstest"
)

// A transaction's answer is lost: the import finds out and goes on.
func TestImportGoesOnAfterLostAnswers(t *testing.T) {
	requests := map[string]int{"InitProducerID": 2, "ListOffsets": 2, "Fetch": 1, "Produce": 2, "EndTxn": 2, "Metadata": 2}
	for request, nth := range requests {
		for _, action := range []streamstest.Action{streamstest.CutRequest, streamstest.CutReply} {
			bubble(t, func(t *testing.T, k *streamstest.Kafka) {
				first := writeFile(t, lineOf("fine-1", 1))
				importFile(t, k, first)
				o, link := options(k, writeFile(t, lineOf("fine-1", 1), lineOf("fine-1", 2), lineOf("fine-2", 1)))
				struck := link.Inject(streamstest.Fault{Request: request, Nth: nth, Action: action})
				report, err := Run(t.Context(), o)
				if err != nil {
					t.Fatalf("%s: %v", request, err)
				}
				select {
				case <-struck:
				default:
					t.Errorf("%s: no fault", request)
				}
				wantCounts(t, report, counts{Lines: 3, Written: 2, Present: 1})
				wantVersions(t, k, map[string]int64{"fine-1": 2, "fine-2": 1})
			})
		}
	}
}

// A transaction fails and nobody knows whether it was committed: the import
// forgets what it took for written, and looks.
func TestFailedTransactionIsLookedUp(t *testing.T) {
	for _, request := range []kmsg.Key{kmsg.EndTxn, kmsg.Produce} {
		bubble(t, func(t *testing.T, k *streamstest.Kafka) {
			importFile(t, k, writeFile(t, lineOf("fine-1", 1)))
			faults := k.Server().Fault(kfake.Fault{Keys: []kmsg.Key{request}, Err: kerr.InvalidTxnState, Count: 3})
			wantCounts(t, importFile(t, k, writeFile(t, lineOf("fine-1", 2), lineOf("fine-1", 3))), counts{Lines: 2, Written: 2})
			if faults.Hits() != 3 {
				t.Errorf("%d faults", faults.Hits())
			}
			wantVersions(t, k, map[string]int64{"fine-1": 3})
		})
	}
}

func TestKafkaIsWaitedFor(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		o, link := options(k, Stdin)
		var log strings.Builder
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		pipe := make(pipeReader)
		o.Input = pipe
		done := make(chan error)
		go func() { _, err := Run(context.Background(), o); done <- err }()
		pipe <- lineOf("fine-1", 1) + "\n"
		time.Sleep(2 * batchWait)
		link.Down()
		pipe <- lineOf("fine-1", 2) + "\n"
		time.Sleep(8 * time.Second)
		link.Up()
		time.Sleep(time.Minute)
		close(pipe)
		if err := <-done; err != nil {
			t.Error(err)
		}
		wantVersions(t, k, map[string]int64{"fine-1": 2})
		if strings.Count(log.String(), "waiting for Kafka") != 1 || strings.Count(log.String(), "answers again") != 1 {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

// A second import begins while the first one stands still; then it goes on.
func TestFencedImportStops(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		o, _ := options(k, Stdin)
		pipe := make(pipeReader)
		o.Input = pipe
		done := make(chan error)
		go func() { _, err := Run(context.Background(), o); done <- err }()
		pipe <- lineOf("fine-1", 1) + "\n"
		time.Sleep(2 * batchWait)

		wantCounts(t, importFile(t, k, writeFile(t, lineOf("fine-1", 1), lineOf("fine-1", 2))), counts{Lines: 2, Written: 1, Present: 1})
		pipe <- lineOf("fine-1", 2) + "\n"
		err := <-done
		close(pipe)
		if !errors.Is(err, kafka.ErrFenced) || !strings.Contains(err.Error(), "another import of fines/") {
			t.Errorf("Run: %v", err)
		}
		wantVersions(t, k, map[string]int64{"fine-1": 2})
	})
}

func TestInterruptedImport(t *testing.T) {
	bubble(t, func(t *testing.T, k *streamstest.Kafka) {
		o, _ := options(k, Stdin)
		pipe := make(pipeReader)
		o.Input = pipe
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { _, err := Run(ctx, o); done <- err }()
		pipe <- lineOf("fine-1", 1) + "\n"
		time.Sleep(2 * batchWait)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		close(pipe)
		wantVersions(t, k, map[string]int64{"fine-1": 1})
	})
}
