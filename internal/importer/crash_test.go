package importer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/streamstest"
)

// requests are those of an import whose loss matters.
var requests = []string{"Produce", "EndTxn", "InitProducerID", "Fetch", "ListOffsets", "Metadata", ""}

// shuffled are the lines of some streams, interleaved, and how many each has.
func shuffled(random *rand.Rand) (lines []string, highest map[string]int64) {
	highest = map[string]int64{}
	for range 200 + random.IntN(200) {
		stream := fmt.Sprintf("fine-%d", random.IntN(12))
		highest[stream]++
		lines = append(lines, lineOf(stream, highest[stream]))
	}
	return lines, highest
}

// crash imports and is killed at a point that chance chooses: nothing that it
// sends afterwards arrives. Sometimes only a connection is lost.
func crash(t *testing.T, random *rand.Rand, k *streamstest.Kafka, file string) {
	o, link := options(k, file)
	o.batchEvents = 1 + random.IntN(60)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	kill := random.IntN(3) > 0
	struck := link.Inject(streamstest.Fault{
		Request: requests[random.IntN(len(requests))],
		Nth:     1 + random.IntN(40),
		Action:  streamstest.Action(random.IntN(2)),
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-struck:
			if kill {
				link.Down()
				cancel()
			}
		case <-ctx.Done():
		}
	}()
	_, err := Run(ctx, o)
	if err != nil && !kill {
		t.Errorf("an import that lost a connection: %v", err)
	}
	cancel()
	<-done
}

// After any sequence of crashes the topic holds a beginning of each stream, and
// the next run completes it: every line once, in order.
func TestCrashesLoseAndDoubleNothing(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 0))
				k := streamstest.New(t, streamstest.Options{Topics: map[string]int32{topic: 3}}).Kafka
				lines, highest := shuffled(random)
				file := writeFile(t, lines...)
				for range 1 + random.IntN(4) {
					crash(t, random, k, file)
				}
				before := int64(len(k.Read(topic)))
				all := int64(len(lines))
				wantCounts(t, importFile(t, k, file), counts{Lines: all, Written: all - before, Present: before})
				wantVersions(t, k, highest)
			})
		})
	}
}

// Two imports of one file at once, one of them sometimes frozen: whoever is
// fenced says so, and a last run completes what is missing.
func TestImportsAtOnceLoseAndDoubleNothing(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 1))
				k := streamstest.New(t, streamstest.Options{Topics: map[string]int32{topic: 3}}).Kafka
				lines, highest := shuffled(random)
				file := writeFile(t, lines...)
				results := make(chan error, 2)
				for i := range 2 {
					o, link := options(k, file)
					o.batchEvents = 1 + random.IntN(20)
					frozen := link.Inject(streamstest.Fault{
						Request: requests[random.IntN(2)], Nth: 1 + random.IntN(10), Action: streamstest.FreezeRequest,
					})
					pause := time.Duration(random.IntN(30)) * time.Second
					delay := time.Duration(i*random.IntN(20)) * time.Millisecond
					ctx, cancel := context.WithCancel(t.Context())
					go thaw(ctx, link, frozen, pause)
					go func() {
						defer cancel()
						time.Sleep(delay)
						_, err := Run(ctx, o)
						results <- err
					}()
				}
				for range 2 {
					if err := <-results; err != nil && !errors.Is(err, kafka.ErrFenced) {
						t.Errorf("Run: %v", err)
					}
				}
				importFile(t, k, file)
				wantVersions(t, k, highest)
			})
		})
	}
}

func thaw(ctx context.Context, link *streamstest.Link, frozen <-chan struct{}, pause time.Duration) {
	select {
	case <-frozen:
		time.Sleep(pause)
		link.Thaw()
	case <-ctx.Done():
	}
}
