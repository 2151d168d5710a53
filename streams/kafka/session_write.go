package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// OutRecord is a record to write. Its Kafka timestamp is the time of sending.
type OutRecord struct {
	Key     []byte
	Value   []byte
	Headers []streams.Header
}

// writeGrace is what a transaction that has begun is given when its context
// ends. It is then left to the broker.
const writeGrace = 5 * time.Second

// Write writes the records in one transaction: all or nothing, in order. The
// memory of the records belongs to the session until Write returns.
//
// Once begun, a transaction is finished although ctx ends, within seconds. Any
// error closes the session, except that of a ctx that had ended before. The
// error is [ErrFenced] where another owner took over (or the transaction stood
// still for longer than its 10 s, which the broker answers in the same way),
// [ErrRefused] where trying again cannot help. After any other error the
// transaction may have been committed or not: a new session knows.
func (s *Session) Write(ctx context.Context, records []OutRecord) error {
	if s.closed {
		return fmt.Errorf("writing to %s: %w", s.partition, ErrSessionClosed)
	}
	if err := ctx.Err(); err != nil || len(records) == 0 {
		return err
	}
	if err := s.transact(ctx, records); err != nil {
		s.Close()
		if fenced(err) {
			err = fmt.Errorf("%w: %w", ErrFenced, err)
		} else {
			err = refusal(err)
		}
		return fmt.Errorf("writing to %s: %w", s.partition, err)
	}
	return nil
}

// transact never aborts: where a produce failed, End would commit the rest, and
// an abort after a lost ID would ask for the ID again.
func (s *Session) transact(ctx context.Context, records []OutRecord) error {
	defer s.closeAfter(ctx)()
	if err := s.client.BeginTransaction(); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	if err := s.produce(ctx, records); err != nil {
		return err
	}
	if err := s.awaitPartition(); err != nil {
		return err
	}
	if err := s.client.EndTransaction(context.WithoutCancel(ctx), kgo.TryCommit); err != nil {
		return fmt.Errorf("ending a transaction: %w", err)
	}
	return nil
}

func (s *Session) produce(ctx context.Context, records []OutRecord) error {
	detached := context.WithoutCancel(ctx)
	promise := kgo.AbortingFirstErrPromise(s.client)
	kept := make([]kgo.Record, len(records))
	for i := range records {
		r := &kept[i]
		r.Topic, r.Partition = s.partition.Topic, s.partition.Partition
		r.Key, r.Value = records[i].Key, records[i].Value
		r.Headers = kgoHeaders(records[i].Headers)
		s.client.Produce(detached, r, promise.Promise())
	}
	if err := s.client.Flush(detached); err != nil {
		return fmt.Errorf("producing: %w", err)
	}
	if err := promise.Err(); err != nil {
		return fmt.Errorf("producing: %w", err)
	}
	return s.goesOn(kept)
}

// goesOn refuses what does not stand behind all that was loaded and written
// here: what was written before is no longer there. A broker before Kafka 4
// takes records of a topic by its name, also where it was made anew.
func (s *Session) goesOn(written []kgo.Record) error {
	if at := written[0].Offset; at < s.next {
		return fmt.Errorf("its log has gone back from %d to %d: the topic was made anew, or an unclean leader elected", s.next, at)
	}
	s.next = written[len(written)-1].Offset + 1
	return nil
}

// awaitPartition waits until the client shows the partition. It stores what it
// learned of a new topic only after it has sent what waited for that; where the
// answer is faster, EndTransaction sees no partition that was written to, so it
// aborts and returns no error.
func (s *Session) awaitPartition() error {
	deadline := time.Now().Add(stableTimeout)
	for {
		leader, _, err := s.client.PartitionLeader(s.partition.Topic, s.partition.Partition)
		if leader >= 0 || err != nil {
			return nil //nolint:nilerr // an error, too, is one of a partition that is there
		}
		if time.Now().After(deadline) {
			return errors.New("the client does not show the partition that it wrote to")
		}
		time.Sleep(time.Millisecond)
	}
}

// closeAfter closes the client when ctx has ended and the grace is over, which
// is the only way to give up what is in flight without healing in place. The
// function that it returns calls that off, and waits for it where it is too late.
func (s *Session) closeAfter(ctx context.Context) func() {
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		select {
		case <-ended:
			return
		case <-ctx.Done():
		}
		grace := time.NewTimer(writeGrace)
		defer grace.Stop()
		select {
		case <-ended:
		case <-grace.C:
			s.client.Close()
		}
	}()
	return func() { close(ended); <-gone }
}

// kgoHeaders is h as the client knows it: the two types have one layout.
func kgoHeaders(h []streams.Header) []kgo.RecordHeader {
	return unsafe.Slice((*kgo.RecordHeader)(unsafe.SliceData(h)), len(h))
}
