package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// Scanner reads partitions up to an end, outside of any group, and says whether
// it saw all that there was. A topic is gone ([ErrNoTopic]) only where that has been
// the answer for a while, as for an [Admin]. Its methods are safe for concurrent use.
type Scanner struct {
	client *kgo.Client
	close  func()
	ids    map[string]string // of the topics that are known
}

// NewScanner returns a scanner that refuses another topic under the name of one
// that is known. It does not connect yet; Close it after use.
func NewScanner(cfg Config, known ...Topic) (*Scanner, error) {
	client, leave, err := clientOf(cfg.options(kgo.RequestRetries(questionRetries), kgo.MetadataMinAge(10*time.Millisecond)))
	if err != nil {
		return nil, err
	}
	ids := make(map[string]string, len(known))
	for _, t := range known {
		ids[t.Name] = t.ID
	}
	return &Scanner{client, leave, ids}, nil
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
// after an error. The error is [ErrTopicChanged] where the topic is not the one
// that was known.
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
	id, err := s.identify(ctx, p.Topic)
	if err != nil {
		return pass, err
	}
	if stable < from {
		return pass, fmt.Errorf("scanning %s: %w: the LSO is %d, before the position %d; was the topic made anew, or an unclean leader elected?",
			p, ErrRefused, stable, from)
	}
	pass.End, pass.Settled = stable, stable == end
	r := &scan{client: s.client, partition: p, position: from, end: stable, topicID: id, fn: fn}
	err = r.run(ctx)
	pass.Next, pass.Delivered, pass.Took = min(r.position, stable), r.delivered, time.Since(pass.Began)
	if r.fnErr != nil || err == nil {
		return pass, r.fnErr
	}
	return pass, fmt.Errorf("scanning %s at position %d: %w", p, r.position, refusal(err))
}

// Bounds returns the first offset of a partition and its last stable offset. The
// error is [ErrTopicChanged] where the topic is not the one that was known.
func (s *Scanner) Bounds(ctx context.Context, p streams.Partition) (first, stable int64, err error) {
	if first, err = s.list(ctx, p, atStart); err != nil {
		return 0, 0, err
	}
	if stable, err = s.list(ctx, p, atStableEnd); err != nil {
		return 0, 0, err
	}
	_, err = s.identify(ctx, p.Topic)
	return first, stable, err
}

func (s *Scanner) list(ctx context.Context, p streams.Partition, at place) (int64, error) {
	return patiently(ctx, func() (int64, error) {
		answer := listOffsets(ctx, s.client, []streams.Partition{p}, at)[p]
		return answer.offset, answer.err
	})
}

// identify returns the ID of a topic. What was answered before is of the topic
// that is known, if the answer is no error.
func (s *Scanner) identify(ctx context.Context, topic string) (kadm.TopicID, error) {
	d, err := patiently(ctx, func() (kadm.TopicDetail, error) {
		details, err := kadm.NewClient(s.client).ListTopics(ctx, topic)
		if err == nil {
			err = details.Error()
		}
		return details[topic], refusal(err)
	})
	if err != nil {
		return kadm.TopicID{}, fmt.Errorf("asking for the ID of topic %s: %w", topic, err)
	}
	is := topicOf(d, kadm.ResourceConfig{}).ID
	if known := s.ids[topic]; known != "" && is != "" && known != is {
		return d.ID, fmt.Errorf("topic %s: %w: its ID is %s, before it was %s", topic, ErrTopicChanged, is, known)
	}
	return d.ID, nil
}
