package kafka

import (
	"context"
	"time"
)

// stallAfter is how long the poll loop waits for one feed's owner before it lets
// that partition wait alone. Shorter, and partitions that are merely slow would
// throw fetches away; longer, and one that hangs would hold up the others.
const stallAfter = time.Second

// stall lets one partition wait for its owner: its fetching is paused, and
// a goroutine of its own holds the batch that has no room.
func (r *Reader) stall(ctx context.Context, f *Feed, b Batch) {
	r.setStalled(f, true)
	paused := map[string][]int32{f.partition.Topic: {f.partition.Partition}}
	r.client.PauseFetchPartitions(paused)
	r.stalls.Go(func() {
		sent := false
		select {
		case f.batches <- b:
			sent = true
		case <-f.done:
		case <-ctx.Done():
		}
		r.post(func() {
			r.client.ResumeFetchPartitions(paused)
			r.setStalled(f, false)
			if sent {
				r.sent(f, b)
			}
			if f.ended {
				close(f.batches)
			}
		})
	})
}

func (r *Reader) setStalled(f *Feed, stalled bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.stalled = stalled
}
