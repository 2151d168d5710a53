package kafka

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// Reasons why a partition stops, for errors.Is.
var (
	// ErrOutOfRange: the position is not in the log, or not any more.
	ErrOutOfRange = errors.New("position is out of range")
	// ErrBeyondEnd: the position is after the last stable offset, so the log was
	// cut or is another one.
	ErrBeyondEnd = errors.New("position is beyond the end of the log")
	// ErrTruncated: the log was cut behind records that were read already.
	ErrTruncated = errors.New("the log was truncated")
	// ErrTopicChanged: the topic was deleted or made anew.
	ErrTopicChanged = errors.New("the topic is not the one that reading began with")
	// ErrDamaged: a batch of records cannot be read.
	ErrDamaged = errors.New("a batch of records cannot be read")
	// ErrNoTopic: there is no such topic.
	ErrNoTopic = errors.New("topic does not exist")
	// ErrReaderStopped: Run of the reader has returned.
	ErrReaderStopped = errors.New("the reader has stopped")
)

// noTopic makes err an [ErrNoTopic] where the broker does not know the topic.
func noTopic(err error) error {
	unknown := errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID)
	if unknown && !errors.Is(err, ErrNoTopic) {
		return fmt.Errorf("%w: %w", ErrNoTopic, err)
	}
	return err
}

// StopError is why a partition cannot be read on. No waiting mends it.
type StopError struct {
	Partition streams.Partition
	// Position is the next offset that would have been read.
	Position int64
	Err      error
}

// Error names the partition and position, the reason and the next step.
func (e *StopError) Error() string {
	var record *streams.RecordError
	if errors.As(e.Err, &record) {
		return e.Err.Error() // it names the place by itself
	}
	return fmt.Sprintf("reading %s at offset %d: %v", e.Partition, e.Position, e.Err)
}

// Unwrap returns the reason.
func (e *StopError) Unwrap() error { return e.Err }

// reason turns an error of a fetch into one that says what to do.
func reason(err error) error {
	var loss *kgo.ErrDataLoss
	var code *kerr.Error
	switch {
	case errors.As(err, &loss):
		return fmt.Errorf("%w: %w; the cluster lost records that may be in the state already: "+
			"find out why (unclean leader election?), then build the state anew", ErrTruncated, err)
	case errors.Is(err, kerr.OffsetOutOfRange):
		return fmt.Errorf("%w: retention deleted the record before it was read (see retention.ms), or the log was cut; "+
			"build the state anew from what is there", ErrOutOfRange)
	case errors.Is(err, kerr.UnknownTopicID), errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, kerr.InconsistentTopicID):
		return fmt.Errorf("%w: it was deleted or made anew under the same name; "+
			"start again, with state of its own for a new topic", ErrTopicChanged)
	case errors.As(err, &code):
		return fmt.Errorf("the broker refuses: %w; see what the broker's log and ACLs say", err)
	default:
		return fmt.Errorf("%w: %w; look at the disk of the partition's leader and compare it with a replica", ErrDamaged, err)
	}
}

func errBelowStart(start int64) error {
	return fmt.Errorf("%w: the first offset is %d, what was before is deleted (see retention.ms and cleanup.policy); "+
		"build the state anew from a topic that still has it", ErrOutOfRange, start)
}

func errBeyondEnd(stable int64) error {
	return fmt.Errorf("%w: the last stable offset is %d; the log was cut or the topic made anew: "+
		"find out which, then build the state anew", ErrBeyondEnd, stable)
}
