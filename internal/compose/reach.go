package compose

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/projection"
)

// patience is how long a command waits for the first answer of a server.
const patience = 5 * time.Second

// AskRedis returns a client of a Redis that has just answered. The error of one
// that does not says what to look at.
func AskRedis(ctx context.Context, cfg projection.RedisConfig) (*redis.Client, error) {
	client, err := projection.OpenRedis(cfg)
	if err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = client.Ping(asking).Err()
	if err == nil || redis.HasErrorPrefix(err, "NOPERM") { // who may not ask has an answer, too
		return client, nil
	}
	why := projection.Refusal("redis at "+cfg.Addr, err)
	if why == nil {
		why = silent("redis", cfg.Addr, "redis.addr", unanswered(ctx, err))
	}
	return nil, errors.Join(why, client.Close())
}

// AskKafka returns an admin of a Kafka that has just answered. The error of one
// that does not says what to look at.
func AskKafka(ctx context.Context, cfg kafka.Config) (*kafka.Admin, error) {
	admin, err := kafka.NewAdmin(cfg)
	if err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := admin.ClusterID(asking); err != nil {
		admin.Close()
		return nil, silent("kafka", strings.Join(cfg.Brokers, ", "), "kafka.brokers", unanswered(ctx, err))
	}
	return admin, nil
}

// unanswered is what an error of a first question means.
func unanswered(ctx context.Context, err error) error {
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer in %v", patience)
	}
	return err
}

func silent(server, addr, setting string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%s at %s does not answer: %w; is it running there? The setting is %s", server, addr, err, setting)
}
