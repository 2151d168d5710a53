package projection

import (
	"context"
	"net"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// dialCounter counts the connections that a Redis client opens. Behind a new one
// may be a Redis that has gone back in time.
type dialCounter struct{ opened *atomic.Int64 }

// DialHook implements [redis.Hook].
func (c dialCounter) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := next(ctx, network, address)
		if err == nil {
			c.opened.Add(1)
		}
		return conn, err
	}
}

// ProcessHook implements [redis.Hook].
func (dialCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook implements [redis.Hook].
func (dialCounter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
