package kafka

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

const (
	// transactionTimeout is when the broker gives up a transaction whose owner
	// is gone. An abandoned one holds up the readers of its partition for that
	// long and up to 10 s more.
	transactionTimeout = 10 * time.Second
	// openTimeout bounds one try to open a session; callers try again.
	openTimeout = 15 * time.Second
	// stableTimeout is how long the transactions of others may hold back the
	// LSO. After the fence nobody of ours has one open, and what was just
	// decided becomes visible within milliseconds.
	stableTimeout  = time.Second
	stableInterval = 5 * time.Millisecond
)

// Session is the right to write one partition in transactions. Opening a
// session takes that right from whoever had it: there is one transactional ID
// for each partition, and it names what is written, not who writes.
//
// A session has its own client, because only a client that has no producer ID
// yet asks for one and thereby fences. Any error of Write closes the session
// for good: what was in memory is thrown away, and OpenSession and Load begin
// anew. Nothing is healed in place, since that takes an ID back that somebody
// else may own by now.
//
// One goroutine at a time may use a session.
type Session struct {
	client     *kgo.Client
	partition  streams.Partition
	start, end int64
	next       int64 // behind all that was there or that this owner wrote
	closed     bool
}

// OpenSession fences the partition's former owner, waits until the outcome of
// its last transaction is visible, and lists the end up to which Load reads. In
// that order: an end that was listed before the fence misses what the former
// owner committed in between.
//
// The error is [ErrOpenTransaction] where somebody with another transactional
// ID holds a transaction open in this partition, [ErrRefused] where trying
// again cannot help, [ErrNoTopic] where the topic is not there: it was deleted, or
// a broker has only just started. Any other error is worth another try.
func OpenSession(ctx context.Context, cfg Config, p streams.Partition) (*Session, error) {
	client, err := kgo.NewClient(cfg.sessionOptions(p)...)
	if err != nil {
		return nil, fmt.Errorf("opening a session of %s: %w", p, err)
	}
	s := &Session{client: client, partition: p}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err := s.takeOver(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("opening a session of %s: %w", p, refusal(err))
	}
	return s, nil
}

// TransactionalID is the transactional ID of everybody who writes p.
func (c Config) TransactionalID(p streams.Partition) string {
	return c.WithDefaults().Prefix + "/" + p.String()
}

func (c Config) sessionOptions(p streams.Partition) []kgo.Opt {
	return c.options(
		kgo.TransactionalID(c.TransactionalID(p)),
		kgo.TransactionTimeout(transactionTimeout),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ManualFlushing(), // a transaction is sent when it is whole
		kgo.MaxBufferedRecords(math.MaxInt32),
	)
}

// Start is the first offset that the partition still had when the session was
// opened. It is 0 unless records were deleted.
func (s *Session) Start() int64 { return s.start }

// End is the position that Load reads up to: the high watermark when the
// session was opened.
func (s *Session) End() int64 { return s.end }

// Close gives up the session. It is idempotent. An open transaction is not
// ended: the next session of the partition or the broker's timeout aborts it.
func (s *Session) Close() {
	s.closed = true
	s.client.Close()
}

func (s *Session) takeOver(ctx context.Context) error {
	if err := s.fence(ctx); err != nil {
		return err
	}
	var err error
	if s.start, err = s.list(ctx, atStart); err != nil {
		return err
	}
	if s.end, err = s.list(ctx, atEnd); err != nil {
		return err
	}
	s.next = s.end
	return s.awaitStable(ctx)
}

// fence raises the epoch of the transactional ID. The broker answers when the
// former owner's transaction is decided.
func (s *Session) fence(ctx context.Context) error {
	id, _, err := s.client.ProducerID(ctx)
	if err != nil {
		return fmt.Errorf("taking over its transactional ID: %w", err)
	}
	if id < 0 {
		return fmt.Errorf("%w: the broker knows no transactions; Kafka 2.5 or newer is needed", ErrRefused)
	}
	return nil
}

// awaitStable waits until the LSO has reached the end: a transaction that is
// decided is not at once visible.
func (s *Session) awaitStable(ctx context.Context) error {
	deadline := time.Now().Add(stableTimeout)
	for {
		lso, err := s.list(ctx, atStableEnd)
		if err != nil {
			return err
		}
		if lso >= s.end {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: topic %s, partition %d, LSO %d, high watermark %d: %s",
				ErrOpenTransaction, s.partition.Topic, s.partition.Partition, lso, s.end,
				cmp.Or(holders(ctx, kadm.NewClient(s.client), s.partition), "find its producer with kafka-transactions.sh find-hanging"))
		}
		if err := sleep(ctx, stableInterval); err != nil {
			return err
		}
	}
}

// list asks for one offset of the partition.
func (s *Session) list(ctx context.Context, at place) (int64, error) {
	answer := listOffsets(ctx, s.client, []streams.Partition{s.partition}, at)[s.partition]
	return answer.offset, answer.err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
