package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestWaits(t *testing.T) {
	for _, err := range []error{
		io.EOF, syscall.ECONNREFUSED, &net.OpError{Op: "dial", Err: errors.New("no route")}, context.DeadlineExceeded,
		kerr.NotLeaderForPartition, kerr.CoordinatorLoadInProgress, kerr.OffsetNotAvailable, kerr.InvalidReplicationFactor,
	} {
		if wrapped := fmt.Errorf("asking: %w", err); !Waits(wrapped) {
			t.Errorf("%v must be waited for", err)
		}
	}
	for _, err := range []error{
		nil, context.Canceled, kgo.ErrClientClosed, kerr.TopicAuthorizationFailed, kerr.UnknownTopicOrPartition,
		fmt.Errorf("topic fines: %w", ErrNoTopic), ErrRetention,
	} {
		if Waits(err) {
			t.Errorf("%v must not be waited for", err)
		}
	}
}
