package kafka

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Waits says whether an error of a question to the cluster means to wait and ask
// again: a broker is away, a leader moves, a coordinator loads, a new topic needs
// more brokers than have started. It never says so of a context that was cancelled,
// a client that was closed, or a refusal.
func Waits(err error) bool {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, kgo.ErrClientClosed):
		return false
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed):
		return true
	case errors.Is(err, kerr.InvalidReplicationFactor):
		return true // final to a client, but brokers that start one by one are too few at first
	case errors.Is(err, kerr.UnknownTopicOrPartition), errors.Is(err, ErrNoTopic):
		return false // retriable to a client, but nobody will create the topic
	}
	var code *kerr.Error
	if errors.As(err, &code) {
		return code.Retriable
	}
	var network net.Error
	var system syscall.Errno
	return errors.As(err, &network) || errors.As(err, &system)
}
