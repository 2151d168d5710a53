package streamstest_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams/streamstest"
)

// through returns a client of the main link that tries once.
func through(t *testing.T, c *streamstest.Cluster) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: c.Redis.Addr(), Dialer: c.Redis.Dial, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { client.Close() })
	return client
}

var incr = redis.NewScript(`return redis.call('HINCRBY', 'h', 'n', 1)`)

func TestCutReply(t *testing.T) {
	for action, want := range map[streamstest.Action]string{
		streamstest.CutRequest: "1",
		streamstest.CutReply:   "2",
	} {
		synctest.Test(t, func(t *testing.T) {
			c := streamstest.New(t, streamstest.Options{})
			ctx, client := t.Context(), through(t, c)
			if err := incr.Load(ctx, client).Err(); err != nil {
				t.Fatal(err)
			}
			struck := c.Redis.MainLink().Inject(streamstest.Fault{Request: "EVALSHA", Nth: 2, Action: action})
			if err := incr.EvalSha(ctx, client, nil).Err(); err != nil {
				t.Fatal(err)
			}
			if err := incr.EvalSha(ctx, client, nil).Err(); err == nil {
				t.Error("the second EVALSHA: no error")
			}
			<-struck
			if got := c.Redis.Hash("h")["n"]; got != want {
				t.Errorf("after action %d the script ran %s times, want %s", action, got, want)
			}
			if err := incr.EvalSha(ctx, client, nil).Err(); err != nil {
				t.Errorf("after the fault: %v", err)
			}
		})
	}
}

// A pipeline is larger than every buffer on the way.
func TestLongPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{})
		pipe := through(t, c).Pipeline()
		text := string(make([]byte, 1000))
		for range 2000 {
			pipe.Echo(t.Context(), text)
		}
		replies, err := pipe.Exec(t.Context())
		if err != nil || replies[1999].(*redis.StringCmd).Val() != text {
			t.Errorf("last reply %v, %v", replies[1999], err)
		}
	})
}

func TestFreeze(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{})
		ctx, client := t.Context(), through(t, c)
		if err := client.Ping(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		link := c.Redis.MainLink()
		frozen := link.Inject(streamstest.Fault{Request: "INCR", Action: streamstest.FreezeRequest})
		start := time.Now()
		done := make(chan error)
		go func() { done <- client.Incr(ctx, "n").Err() }()
		<-frozen
		time.Sleep(time.Second)
		if c.Redis.Client().Exists(ctx, "n").Val() != 0 {
			t.Error("a request went through a frozen link")
		}
		link.Thaw()
		if err := <-done; err != nil || time.Since(start) != time.Second {
			t.Errorf("after thawing: %v after %v", err, time.Since(start))
		}
		link.Freeze()
		var timeout interface{ Timeout() bool }
		if err := client.Incr(ctx, "n").Err(); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("a request on a link that stays frozen: %v, want a time-out", err)
		}
	})
}

func TestRestartFromOlderSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{})
		ctx, client := t.Context(), through(t, c)
		client.HSet(ctx, "h", "a", "1", "b", "\xff\r\n")
		client.Set(ctx, "s", "text", 0)
		client.SAdd(ctx, "set", "x", "y")
		client.ZAdd(ctx, "z", redis.Z{Score: 9007199254740991, Member: "m"})
		client.RPush(ctx, "l", "1", "2")
		old := c.Redis.Snapshot()
		client.HSet(ctx, "h", "a", "2")
		client.Set(ctx, "new", "1", 0)
		if err := incr.Load(ctx, client).Err(); err != nil {
			t.Fatal(err)
		}

		c.Redis.Restart(old)
		if err := incr.EvalSha(ctx, client, nil).Err(); err == nil || client.Exists(ctx, "new").Val() != 0 {
			t.Errorf("after the restart: EVALSHA gives %v, want NOSCRIPT; and no new keys", err)
		}
		if got := client.HGetAll(ctx, "h").Val(); !maps.Equal(got, map[string]string{"a": "1", "b": "\xff\r\n"}) {
			t.Errorf("hash %q", got)
		}
		if s, set := client.Get(ctx, "s").Val(), client.SMembers(ctx, "set").Val(); s != "text" || len(set) != 2 {
			t.Errorf("string %q, set %q", s, set)
		}
		if z, l := client.ZScore(ctx, "z", "m").Val(), client.LRange(ctx, "l", 0, -1).Val(); z != 9007199254740991 || len(l) != 2 || l[0] != "1" {
			t.Errorf("sorted set %v, list %q", z, l)
		}
	})
}

func TestStoppedRedisRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{})
		ctx, client := t.Context(), through(t, c)
		client.Set(ctx, "k", "v", 0)
		c.Redis.Stop()
		if err := client.Ping(ctx).Err(); err == nil {
			t.Error("a ping of a stopped server: no error")
		}
		c.Redis.Start(nil)
		if err := client.Ping(ctx).Err(); err != nil || client.Exists(ctx, "k").Val() != 0 {
			t.Errorf("after the start: %v, keys %q", err, client.Keys(ctx, "*").Val())
		}
	})
}

// Two keys that a script always writes together are equal in every snapshot,
// and for every reader while states are exchanged.
func TestSnapshotIsOfOneMoment(t *testing.T) {
	c := streamstest.New(t, streamstest.Options{})
	ctx := context.Background()
	both := redis.NewScript(`return {redis.call('HINCRBY', 'a', 'n', 1), redis.call('HINCRBY', 'b', 'n', 1)}`)
	client := c.Redis.Client()
	var writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if v, err := both.Run(ctx, client, nil).Int64Slice(); err != nil || v[0] != v[1] {
				t.Errorf("the script gives %v, %v", v, err)
				return
			}
		}
	})
	for range 200 {
		s := c.Redis.Snapshot()
		if a, b := s.Hash("a")["n"], s.Hash("b")["n"]; a != b {
			t.Fatalf("a is %s and b is %s", a, b)
		}
		c.Redis.Restore(s)
	}
	c.Redis.Wipe()
	close(stop)
	writer.Wait()
}

func TestHashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := streamstest.New(t, streamstest.Options{})
		client := through(t, c)
		client.HSet(t.Context(), "{v.1}:r:one", "n", "1")
		client.HSet(t.Context(), "{v.1}:m:pos", "orders/0", "1")
		rows := c.Redis.Hashes("{v.1}:r:")
		if len(rows) != 1 || rows["one"]["n"] != "1" {
			t.Errorf("rows %v", rows)
		}
	})
}
