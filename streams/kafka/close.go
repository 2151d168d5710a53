package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// closeGrace is how long a client that is closed may wait for the cluster: to
// leave a group, to end a fetch session. A cluster that does not answer finds out
// by its own timeouts.
const closeGrace = 3 * time.Second

// clientOf returns a client, and the function that closes it within closeGrace.
// The client by itself would wait for as long as requests may take.
func clientOf(opts []kgo.Opt) (*kgo.Client, func(), error) {
	ctx, cancel := context.WithCancel(context.Background())
	client, err := kgo.NewClient(append(slices.Clone(opts), kgo.WithContext(ctx))...)
	if err != nil {
		cancel()
		return nil, nil, fmt.Errorf("opening the Kafka client: %w", err)
	}
	return client, func() {
		impatience := time.AfterFunc(closeGrace, cancel)
		client.Close()
		impatience.Stop()
		cancel()
	}, nil
}
