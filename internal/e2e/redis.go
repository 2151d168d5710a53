package e2e

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/internal/e2e/freeport"
	"github.com/millrace/millrace/internal/e2e/redisserver"
)

// Redis is a Redis server that belongs to one test. Its methods are for the
// goroutine of the test, which fails when one does not work.
type Redis struct {
	t      testing.TB
	server redisserver.Server
}

// StartRedis starts a Redis server for a test, empty, and stops it when the test
// ends. Where redis-server is not installed the test is skipped.
func StartRedis(tb testing.TB) *Redis {
	tb.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		tb.Skip("needs redis-server (apt-get install redis-server)")
	}
	r := &Redis{t: tb, server: redisserver.Server{Dir: tb.TempDir(), Port: freeport.Get(tb)}}
	tb.Cleanup(r.Kill)
	r.Start()
	return r
}

// UseRedis makes a Redis server that belongs to the test that of the environment:
// for its own client, and for workers that are started later.
func (e *Env) UseRedis(r *Redis) {
	e.t.Helper()
	former := e.Redis
	e.RedisAddr = r.Addr()
	e.Redis = redis.NewClient(&redis.Options{Addr: e.RedisAddr})
	e.t.Cleanup(func() {
		_ = e.Redis.Close()
		e.Redis = former
	})
}

// Addr returns the address of the server, the same after every restart.
func (r *Redis) Addr() string { return r.server.Addr() }

// Start starts a server that was killed. It is empty.
func (r *Redis) Start() {
	r.t.Helper()
	r.try(r.server.Start)
}

// Kill ends the server at once.
func (r *Redis) Kill() {
	r.t.Helper()
	r.try(func(context.Context) error { return r.server.Kill() })
}

// Save keeps what the server holds in a file.
func (r *Redis) Save(file string) {
	r.t.Helper()
	r.try(func(ctx context.Context) error { return r.server.Save(ctx, file) })
}

// Restore kills the server and starts it again with what it held when the file
// was saved.
func (r *Redis) Restore(file string) {
	r.t.Helper()
	r.try(func(ctx context.Context) error { return r.server.Restore(ctx, file) })
}

func (r *Redis) try(do func(context.Context) error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := do(ctx); err != nil {
		r.t.Fatal(err)
	}
}
