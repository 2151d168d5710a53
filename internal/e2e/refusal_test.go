package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// What a Redis answers that cannot serve for a while means to wait: nothing
// stops, and when it can again everything is right. The embedded Redis never
// answers so.
func TestRedisThatCannotServe(t *testing.T) {
	const events = 600
	const nobody = "1" // a port that nobody listens on
	cases := []struct {
		name       string
		begin, end [][]any
	}{
		{"no memory left", [][]any{{"CONFIG", "SET", "maxmemory", "1"}}, [][]any{{"CONFIG", "SET", "maxmemory", "0"}}},
		{"replica", [][]any{{"REPLICAOF", "127.0.0.1", nobody}}, [][]any{{"REPLICAOF", "NO", "ONE"}}},
		{
			"replica without its master",
			[][]any{{"CONFIG", "SET", "replica-serve-stale-data", "no"}, {"REPLICAOF", "127.0.0.1", nobody}},
			[][]any{{"REPLICAOF", "NO", "ONE"}},
		},
		{"replicas missing", [][]any{{"CONFIG", "SET", "min-replicas-to-write", "1"}}, [][]any{{"CONFIG", "SET", "min-replicas-to-write", "0"}}},
		{"busy", [][]any{{"CONFIG", "SET", "busy-reply-threshold", "1"}, {"EVAL", "while true do end", "0"}}, [][]any{{"SCRIPT", "KILL"}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, server, w := buildSlowly(t, events)
			server.tell(c.begin...)
			waitLog(w, 30*time.Second, "redis does not answer; waiting for it")
			Poll(t, 30*time.Second, func() (bool, string) { ok, _ := w.ready(); return !ok, "the worker is ready" })
			p.pay(60)
			time.Sleep(time.Second) // whatever the worker asks Redis from time to time it has asked now
			server.tell(c.end...)
			Poll(t, 30*time.Second, func() (bool, string) {
				err := p.Redis.Ping(p.context()).Err()
				return err == nil, fmt.Sprint(err)
			})
			if done := p.done(); done >= events {
				t.Errorf("%d records were applied by then: that proves nothing", done)
			}
			p.caughtUp(time.Minute)
			w.WaitReady(time.Minute)
			if n := w.stopped(); n > 0 {
				t.Errorf("%v partitions stopped", n)
			}
		})
	}
}

// buildSlowly has a worker that builds a view in a Redis of its own.
func buildSlowly(t *testing.T, events int) (*payments, *Redis, *Worker) {
	t.Helper()
	p, server := newPayments(t), StartRedis(t)
	p.UseRedis(server)
	p.configure("projector:\n", "projector:\n  batch_max_ops: 20\n  cold_batch_max_ops: 20\n")
	p.Proxy().Delay(100 * time.Millisecond)
	p.pay(events)
	w := p.projector()
	Poll(t, time.Minute, func() (bool, string) { return p.done() > 0, "nobody began" })
	return p, server, w
}

// A Redis that is restarted with what it had answers for a while that it loads.
func TestRedisThatLoads(t *testing.T) {
	const events = 600
	p, server, w := buildSlowly(t, events)
	for n := range 300 { // it answers between large keys
		if err := p.Redis.Set(p.context(), p.Prefix+"filler-"+itoa(n), strings.Repeat(uniqueID(""), 1000), 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	dump := filepath.Join(t.TempDir(), "dump.rdb")
	server.tell([]any{"CONFIG", "SET", "rdbcompression", "no"})
	server.Save(dump)
	if done := p.done(); done >= events {
		t.Errorf("%d records were applied by then: that proves nothing", done)
	}
	server.server.Args = []string{"--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024"}
	server.Restore(dump)
	if err := p.Redis.DBSize(p.context()).Err(); err == nil || !strings.HasPrefix(err.Error(), "LOADING") {
		t.Errorf("Redis answers %v, want LOADING", err)
	}
	Poll(t, time.Minute, func() (bool, string) {
		err := p.Redis.DBSize(p.context()).Err()
		return err == nil, fmt.Sprint(err)
	})
	p.caughtUp(time.Minute)
	w.WaitReady(time.Minute)
	if n := w.stopped(); n > 0 {
		t.Errorf("%v partitions stopped", n)
	}
}

// A Redis that forgets its scripts is given them again.
func TestRedisForgetsScripts(t *testing.T) {
	p := newPayments(t)
	server := StartRedis(t)
	p.UseRedis(server)
	w := p.projector()
	for range 5 {
		p.pay(60)
		p.caughtUp(30 * time.Second)
		server.tell([]any{"SCRIPT", "FLUSH"})
	}
	p.pay(60)
	p.caughtUp(30 * time.Second)
	w.WaitReady(30 * time.Second)
}

// A Redis that may evict rows is refused, by what to do about it.
func TestRedisThatEvicts(t *testing.T) {
	p := newPayments(t)
	server := StartRedis(t)
	p.UseRedis(server)
	server.tell([]any{"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"})
	p.refuses("allkeys-lru", "CONFIG SET maxmemory-policy noeviction")
}

// tell gives the server commands, one after the other. One that is not answered
// within a second is left to run.
func (r *Redis) tell(commands ...[]any) {
	r.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: r.Addr(), MaxRetries: -1, Protocol: 2, DisableIdentity: true, ContextTimeoutEnabled: true})
	defer client.Close()
	for _, c := range commands {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := client.Do(ctx, c...).Err()
		running := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
		cancel()
		if err != nil && !running {
			r.t.Fatalf("telling Redis %v: %v", c, err)
		}
	}
}
