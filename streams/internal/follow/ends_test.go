package follow

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/streams/kafka"
)

// TestListingIsAskedForByAnother: who makes the listing is called off while
// others wait for it.
func TestListingIsAskedForByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var listings int
		e := NewEnds(func(ctx context.Context, _ string) (kafka.Ends, error) {
			listings++
			timer := time.NewTimer(time.Second)
			defer timer.Stop()
			select {
			case <-timer.C:
				return kafka.Ends{Partitions: int32(listings)}, nil
			case <-ctx.Done():
				return kafka.Ends{}, ctx.Err()
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 20)
		ask := func(ctx context.Context) {
			_, err := e.Of(ctx, "t")
			results <- err
		}
		go ask(ctx)
		synctest.Wait()
		go ask(ctx)
		synctest.Wait()
		for range 18 {
			go ask(t.Context())
		}
		synctest.Wait()
		cancel()
		failed := 0
		for range 20 {
			if err := <-results; err != nil {
				failed++
			}
		}
		if failed != 2 || listings > 4 {
			t.Errorf("%d askers failed, %d listings", failed, listings)
		}
	})
}
