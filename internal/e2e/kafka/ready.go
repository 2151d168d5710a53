package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// waitReady waits until every broker answers and knows of all the others. Each
// is asked for itself: what one says of another may be old.
func (c Cluster) waitReady(ctx context.Context, id string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers()...))
	if err != nil {
		return err
	}
	defer client.Close()
	for i, broker := range client.SeedBrokers() {
		for {
			wrong := c.ask(ctx, broker, id)
			if wrong == nil {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s: %w: %w", c.Brokers()[i], context.Cause(ctx), wrong)
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	return nil
}

// ask returns what is wrong with a broker, nil if it is one of this cluster and
// knows all of it.
func (c Cluster) ask(ctx context.Context, broker *kgo.Broker, id string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{} // none; nil would be all
	answer, err := broker.Request(ctx, req)
	if err != nil {
		return err
	}
	meta := answer.(*kmsg.MetadataResponse)
	if meta.ClusterID == nil || *meta.ClusterID != id {
		return fmt.Errorf("another Kafka listens there: choose another port")
	}
	if n := len(meta.Brokers); n != c.Nodes {
		return fmt.Errorf("it knows %d of %d brokers", n, c.Nodes)
	}
	return nil
}
