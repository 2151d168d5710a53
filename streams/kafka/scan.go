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

// scan reads the committed records of a range of one partition. It fetches by
// itself rather than through the client's consumer: each answer says where the
// next fetch begins, also where no record is left of what was asked for, and
// how many offsets of the range it delivered, which the consumer tells nobody.
// While records are handed out the next fetch is under way.
type scan struct {
	client        *kgo.Client
	partition     streams.Partition
	position, end int64
	fn            func(streams.Record) error

	delivered    int64 // offsets of the range that records have, control records included
	decompressor kgo.Decompressor
	leader       *kgo.Broker // nil: ask
	topicID      [16]byte
	records      []streams.Record // of the last fetch
	ahead        chan fetchAnswer // the next fetch, where one is under way
	fnErr        error
}

// fetchAnswer is the answer to one fetch.
type fetchAnswer struct {
	answer *kmsg.FetchResponseTopicPartition
	err    error
}

// run reads up to the end. An error of fn is fnErr, too.
func (s *scan) run(ctx context.Context) error {
	s.decompressor = kgo.DefaultDecompressor()
	ctx, cancel := context.WithCancel(ctx)
	defer s.drain()
	defer cancel()
	progress, tries := time.Now(), 0
	for s.position < s.end {
		before := s.position
		err := s.step(ctx)
		switch {
		case s.fnErr != nil:
			return s.fnErr
		case err == nil && s.position > before:
			progress, tries = time.Now(), 0
			continue
		case err != nil && !retriable(err):
			return err
		case time.Since(progress) > loadStall:
			return errors.Join(fmt.Errorf("no progress for %v", loadStall), err)
		}
		s.leader = nil
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
	return !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrRefused) && (!errors.As(err, &ke) || ke.Retriable)
}

// step takes one fetch, begins the next, and hands out what the one brought.
func (s *scan) step(ctx context.Context) error {
	answer, err := s.fetch(ctx)
	if err != nil {
		return err
	}
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		return fmt.Errorf("fetching: %w", err)
	}
	got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
		KeepControlRecords: true,
		Offset:             s.position,
		IsolationLevel:     kgo.ReadCommitted(),
		Topic:              s.partition.Topic,
		Partition:          s.partition.Partition,
	}, answer, s.decompressor, nil)
	if got.Err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, got.Err)
	}
	if next > s.position && next < s.end {
		s.begin(ctx, next)
	}
	for _, r := range got.Records {
		if r.Offset < s.end {
			s.delivered++
		}
	}
	s.records = appendRecords(s.records[:0], got.Records, s.position)
	for _, r := range s.records {
		if r.Offset >= s.end {
			break
		}
		if s.fnErr = s.fn(r); s.fnErr != nil {
			return s.fnErr
		}
	}
	s.position = next
	return nil
}

// begin sends the fetch of what is behind an offset.
func (s *scan) begin(ctx context.Context, offset int64) {
	ahead, leader, id := make(chan fetchAnswer, 1), s.leader, s.topicID
	s.ahead = ahead
	go func() {
		answer, err := s.ask(ctx, leader, id, offset)
		ahead <- fetchAnswer{answer, err}
	}()
}

// drain waits for the fetch that is under way.
func (s *scan) drain() {
	if s.ahead != nil {
		<-s.ahead
	}
}

// fetch returns what is behind the position.
func (s *scan) fetch(ctx context.Context) (*kmsg.FetchResponseTopicPartition, error) {
	if s.ahead != nil {
		f := <-s.ahead
		s.ahead = nil
		return f.answer, f.err
	}
	if err := s.findLeader(ctx); err != nil {
		return nil, err
	}
	return s.ask(ctx, s.leader, s.topicID, s.position)
}

func (s *scan) ask(ctx context.Context, leader *kgo.Broker, id [16]byte, offset int64) (*kmsg.FetchResponseTopicPartition, error) {
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.Partition = s.partition.Partition
	rp.FetchOffset = offset
	rp.PartitionMaxBytes = loadBytes
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID = s.partition.Topic, id
	rt.Partitions = append(rt.Partitions, rp)
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis = int32(loadWait.Milliseconds())
	req.MinBytes = 1
	req.IsolationLevel = 1
	req.Topics = append(req.Topics, rt)

	answer, err := leader.Request(ctx, req) // the next try may be at another broker
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

func (s *scan) findLeader(ctx context.Context) error {
	if s.leader != nil {
		return nil
	}
	topics, err := kadm.NewClient(s.client).ListTopics(ctx, s.partition.Topic)
	if err != nil {
		return fmt.Errorf("asking for its leader: %w", err)
	}
	topic := topics[s.partition.Topic]
	if topic.Err != nil {
		return fmt.Errorf("asking for its leader: %w", topic.Err)
	}
	p, ok := topic.Partitions[s.partition.Partition]
	if !ok {
		return fmt.Errorf("asking for its leader: %w", kerr.UnknownTopicOrPartition)
	}
	if p.Err != nil {
		return fmt.Errorf("asking for its leader: %w", p.Err)
	}
	if s.topicID != ([16]byte{}) && s.topicID != topic.ID {
		return fmt.Errorf("%w: %w", ErrRefused, ErrTopicChanged)
	}
	s.leader, s.topicID = s.client.Broker(int(p.Leader)), topic.ID
	return nil
}
