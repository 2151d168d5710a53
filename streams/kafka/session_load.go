package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/streams"
)

const (
	loadWait  = 500 * time.Millisecond // of one fetch at the broker
	loadBytes = 256 << 10              // of one fetch; in memory it is up to 30 times as large
	loadStall = 30 * time.Second       // without progress
)

// Load hands every committed record of the partition to fn, in order, from its
// start to the end that was listed when the session was opened. It ends there
// whatever the log has at its end: markers, aborted records, holes. An error of
// fn ends it and is returned as it is. A record and its bytes are valid as long
// as somebody holds them.
//
// The session is as usable after an error as before.
func (s *Session) Load(ctx context.Context, fn func(streams.Record) error) error {
	if s.closed {
		return fmt.Errorf("loading %s: %w", s.partition, ErrSessionClosed)
	}
	l := &loader{Session: s, decompressor: kgo.DefaultDecompressor(), position: s.start, fn: fn}
	err := l.run(ctx)
	if l.fnErr != nil || err == nil {
		return l.fnErr
	}
	return fmt.Errorf("loading %s at position %d: %w", s.partition, l.position, refusal(err))
}

// loader fetches by itself rather than through the client's consumer: each
// answer says where the next fetch begins, also where no record is left of
// what was asked for.
type loader struct {
	*Session
	decompressor kgo.Decompressor
	leader       *kgo.Broker // nil: ask
	topicID      [16]byte
	position     int64
	records      []streams.Record // of the last fetch
	fn           func(streams.Record) error
	fnErr        error
}

func (l *loader) run(ctx context.Context) error {
	progress, tries := time.Now(), 0
	for l.position < l.end {
		before := l.position
		err := l.step(ctx)
		switch {
		case l.fnErr != nil || ctx.Err() != nil:
			return ctx.Err()
		case err == nil && l.position > before:
			progress, tries = time.Now(), 0
			continue
		case err != nil && !retriable(err):
			return err
		case time.Since(progress) > loadStall:
			return errors.Join(fmt.Errorf("no progress for %v", loadStall), err)
		}
		l.leader = nil
		tries++
		if err := sleep(ctx, backoff(tries)); err != nil {
			return err
		}
	}
	return nil
}

// retriable tells whether another try, perhaps at another broker, may help. An
// error without a code is one of the connection.
func retriable(err error) bool {
	var ke *kerr.Error
	return !errors.Is(err, ErrDamaged) && (!errors.As(err, &ke) || ke.Retriable)
}

// step fetches once and hands out what it brought.
func (l *loader) step(ctx context.Context) error {
	if err := l.findLeader(ctx); err != nil {
		return err
	}
	answer, err := l.fetch(ctx)
	if err != nil {
		return err
	}
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		return fmt.Errorf("fetching: %w", err)
	}
	got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true,
		Offset:             l.position,
		IsolationLevel:     kgo.ReadCommitted(),
		Topic:              l.partition.Topic,
		Partition:          l.partition.Partition,
	}, answer, l.decompressor, nil)
	if got.Err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, got.Err)
	}
	l.records = appendRecords(l.records[:0], got.Records, l.position)
	for _, r := range l.records {
		if r.Offset >= l.end {
			break
		}
		if l.fnErr = l.fn(r); l.fnErr != nil {
			return l.fnErr
		}
	}
	l.position = next
	return nil
}

func (l *loader) fetch(ctx context.Context) (*kmsg.FetchResponseTopicPartition, error) {
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.Partition = l.partition.Partition
	rp.FetchOffset = l.position
	rp.PartitionMaxBytes = loadBytes
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID = l.partition.Topic, l.topicID
	rt.Partitions = append(rt.Partitions, rp)
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis = int32(loadWait.Milliseconds())
	req.MinBytes = 1
	req.IsolationLevel = 1
	req.Topics = append(req.Topics, rt)

	answer, err := l.leader.RetriableRequest(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("fetching: %w", err)
	}
	resp := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, fmt.Errorf("fetching: %w", err)
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, errors.New("fetching: the answer does not name the partition")
	}
	return &resp.Topics[0].Partitions[0], nil
}

func (l *loader) findLeader(ctx context.Context) error {
	if l.leader != nil {
		return nil
	}
	topics, err := kadm.NewClient(l.client).ListTopics(ctx, l.partition.Topic)
	if err != nil {
		return fmt.Errorf("asking for its leader: %w", err)
	}
	topic := topics[l.partition.Topic]
	if topic.Err != nil {
		return fmt.Errorf("asking for its leader: %w", topic.Err)
	}
	p, ok := topic.Partitions[l.partition.Partition]
	if !ok {
		return fmt.Errorf("asking for its leader: %w", kerr.UnknownTopicOrPartition)
	}
	if p.Err != nil {
		return fmt.Errorf("asking for its leader: %w", p.Err)
	}
	l.leader, l.topicID = l.client.Broker(int(p.Leader)), topic.ID
	return nil
}
