package kafka

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
)

var (
	// ErrFenced says that another owner took over the partition. The session is
	// closed; opening it again would take the partition back.
	ErrFenced = errors.New("another owner took over the partition")
	// ErrOpenTransaction says that a transaction of somebody else, under another
	// transactional ID, holds back the LSO of a partition.
	ErrOpenTransaction = errors.New("a foreign transaction is open in it")
	// ErrRefused says that the broker refuses, or has only what cannot be read,
	// and that another try would not change that.
	ErrRefused = errors.New("refused")
	// ErrSessionClosed says that a session was used after Close or an error.
	ErrSessionClosed = errors.New("the session is closed; open a new one")
)

// healed are errors that a new session mends although the broker calls them
// final: they are about the producer ID or the transaction that goes with the
// old one.
var healed = []*kerr.Error{
	kerr.UnknownServerError,
	kerr.InvalidTxnState, kerr.TransactionAbortable, kerr.ConcurrentTransactions,
	kerr.InvalidProducerIDMapping, kerr.UnknownProducerID,
	kerr.OutOfOrderSequenceNumber, kerr.DuplicateSequenceNumber,
	kerr.OperationNotAttempted, kerr.TransactionCoordinatorFenced,
	// while a session is opened: two were, at once
	kerr.ProducerFenced, kerr.InvalidProducerEpoch,
}

// refusal makes err an [ErrRefused] where the broker has the last word, and an
// [ErrNoTopic] where it does not know the topic.
func refusal(err error) error {
	if errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err = noTopic(err); errors.Is(err, ErrNoTopic) {
		return err
	}
	var ke *kerr.Error
	if !errors.As(err, &ke) || ke.Retriable || errors.Is(err, ErrRefused) {
		return err
	}
	for _, h := range healed {
		if ke.Code == h.Code {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}

// fenced tells whether err is the answer to an owner that was taken over. The
// coordinator says PRODUCER_FENCED; an owner that was frozen in a transaction
// meets INVALID_PRODUCER_EPOCH at the partition first.
func fenced(err error) bool {
	return errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch)
}
