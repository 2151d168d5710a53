package kafkaserver

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// waitReady waits until every broker is a member of the cluster and answers.
func waitReady(ctx context.Context, brokers []string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for {
		meta, err := admin.BrokerMetadata(ctx)
		if err == nil && len(meta.Brokers) == len(brokers) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%d of %d brokers, last error: %v)", context.Cause(ctx), len(meta.Brokers), len(brokers), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
