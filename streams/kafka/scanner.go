package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// Scanner reads partitions up to an end, outside of any group, and says whether
// it saw all that there was. Its methods are safe for concurrent use.
type Scanner struct {
	client *kgo.Client
	close  func()
}

// NewScanner returns a scanner. It does not connect yet; Close it after use.
func NewScanner(cfg Config) (*Scanner, error) {
	client, leave, err := clientOf(cfg.options(kgo.RequestRetries(questionRetries), kgo.MetadataMinAge(10*time.Millisecond)))
	if err != nil {
		return nil, err
	}
	return &Scanner{client, leave}, nil
}

// Close ends the connections.
func (s *Scanner) Close() { s.close() }

// Pass is one reading of a partition from an offset to the last stable offset
// that was listed when it began.
type Pass struct {
	// From and End are the range: End is that LSO, or From where there was nothing
	// behind it.
	From, End int64
	// Next is where the next pass goes on: End after a pass without an error.
	Next int64
	// Delivered is how many offsets of the range had a record, markers of
	// transactions included. Records of aborted transactions are not delivered,
	// nor what compaction has removed.
	Delivered int64
	// Settled says that no transaction was open: the LSO was the high watermark.
	Settled bool
	Began   time.Time
	Took    time.Duration
}

// Whole says that every offset of the range was delivered, so that nothing of it
// had been removed.
func (p Pass) Whole() bool { return p.Delivered == p.End-p.From }

// Scan hands every committed record from an offset up to the LSO to fn, in order.
// An error of fn ends it and is returned as it is. A record and its bytes are
// valid as long as somebody holds them. The Pass is that of what was read, also
// after an error.
func (s *Scanner) Scan(ctx context.Context, p streams.Partition, from int64, fn func(streams.Record) error) (Pass, error) {
	pass := Pass{From: from, End: from, Next: from, Began: time.Now()}
	stable, err := s.list(ctx, p, atStableEnd)
	if err != nil {
		return pass, err
	}
	end, err := s.list(ctx, p, atEnd)
	if err != nil {
		return pass, err
	}
	if stable < from {
		return pass, fmt.Errorf("scanning %s: %w: the LSO is %d, before the position %d; was the topic made anew, or an unclean leader elected?",
			p, ErrRefused, stable, from)
	}
	pass.End, pass.Settled = stable, stable == end
	r := &scan{client: s.client, partition: p, position: from, end: stable, fn: fn}
	err = r.run(ctx)
	pass.Next, pass.Delivered, pass.Took = min(r.position, stable), r.delivered, time.Since(pass.Began)
	if r.fnErr != nil || err == nil {
		return pass, r.fnErr
	}
	return pass, fmt.Errorf("scanning %s at position %d: %w", p, r.position, refusal(err))
}

// Bounds returns the first offset of a partition and its last stable offset.
func (s *Scanner) Bounds(ctx context.Context, p streams.Partition) (first, stable int64, err error) {
	if first, err = s.list(ctx, p, atStart); err != nil {
		return 0, 0, err
	}
	stable, err = s.list(ctx, p, atStableEnd)
	return first, stable, err
}

func (s *Scanner) list(ctx context.Context, p streams.Partition, at place) (int64, error) {
	answer := listOffsets(ctx, s.client, []streams.Partition{p}, at)[p]
	return answer.offset, answer.err
}
