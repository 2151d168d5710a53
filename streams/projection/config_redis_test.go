package projection

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams"
)

func TestRedisConfig(t *testing.T) {
	if err := (RedisConfig{}).WithDefaults().Validate(); err != nil {
		t.Error(err)
	}
	for want, c := range map[string]RedisConfig{
		`addr is "localhost"`: {Addr: "localhost"},
		`addr is "a:99999"`:   {Addr: "a:99999"},
		`addr is "a:0"`:       {Addr: "a:0"},
		"db is -1":            {DB: -1},
		"prefix must not":     {Prefix: "{x}:"},
	} {
		if _, err := OpenRedis(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if s := fmt.Sprintf("%+v", RedisConfig{Password: streams.Secret("geheim")}); strings.Contains(s, "geheim") {
		t.Error(s)
	}
}

// serve answers every command of a client with that reply, but for the one that
// opens the connection.
func serve(t *testing.T, reply string) *redis.Client {
	client, err := OpenRedis(RedisConfig{Dialer: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go answer(theirs, reply)
		return ours, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// answer reads commands until the connection ends.
func answer(c net.Conn, reply string) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		var n int
		if _, err := fmt.Fscanf(r, "*%d\r\n", &n); err != nil {
			return
		}
		var name string
		for i := range n {
			var size int
			if _, err := fmt.Fscanf(r, "$%d\r\n", &size); err != nil {
				return
			}
			word := make([]byte, size+2)
			if _, err := io.ReadFull(r, word); err != nil {
				return
			}
			if i == 0 {
				name = strings.ToLower(string(word[:size]))
			}
		}
		out := reply
		if name == "hello" {
			out = "-ERR unknown command\r\n"
		}
		if _, err := io.WriteString(c, out); err != nil {
			return
		}
	}
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

func TestEvictionIsRefused(t *testing.T) {
	cases := []struct{ reply, warning, err string }{
		{bulk("# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"), "", ""},
		{bulk("# Memory\r\nmaxmemory_policy:allkeys-lru\r\n"), "", "maxmemory_policy is allkeys-lru; run CONFIG SET"},
		{bulk("# Memory\r\n"), "does not tell its maxmemory_policy", ""},
		{"-NOPERM this user has no permissions\r\n", "NOPERM", ""},
		{"-LOADING Redis is loading the dataset in memory\r\n", "", "LOADING"},
		{"-NOAUTH Authentication required.\r\n", "", "the settings are redis.username, redis.password and redis.db"},
		{"-WRONGPASS invalid username-password pair or user is disabled.\r\n", "", "answers and refuses: WRONGPASS"},
		{"-ERR DB index is out of range\r\n", "", "answers and refuses: ERR DB index"},
	}
	for _, c := range cases {
		warning, err := CheckEviction(t.Context(), serve(t, c.reply))
		if !strings.Contains(warning, c.warning) || (c.warning == "") != (warning == "") {
			t.Errorf("%q: warning %q", c.reply, warning)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: error %v", c.reply, err)
		}
	}
}

func TestEmbeddedRedisTellsNoPolicy(t *testing.T) {
	onRedis(t, func(t *testing.T, b *bench) {
		if _, err := CheckEviction(ctx(t), b.client); err != nil {
			t.Error(err)
		}
	})
}

// TestDiscardedTransaction: its own error does not always say why.
func TestDiscardedTransaction(t *testing.T) {
	abort := serve(t, "-EXECABORT Transaction discarded because of previous errors.\r\n").Get(t.Context(), "x").Err()
	why := serve(t, "-OOM command not allowed when used memory > 'maxmemory'.\r\n").Get(t.Context(), "x").Err()
	refused, queued := redis.NewStatusCmd(t.Context()), redis.NewStatusCmd(t.Context())
	refused.SetErr(why)
	queued.SetErr(redis.Nil)
	if err := discarded([]redis.Cmder{queued, refused}, abort); !errors.Is(err, why) || !Waits(err) {
		t.Errorf("got %v, want %v", err, why)
	}
	if err := discarded([]redis.Cmder{queued}, abort); !errors.Is(err, abort) || Waits(err) {
		t.Errorf("got %v, want %v", err, abort)
	}
}

func TestWaits(t *testing.T) {
	wait := []string{
		"TRYAGAIN Multiple keys request during rehashing of slot", "CLUSTERDOWN The cluster is down", "LOADING Redis is loading",
		"READONLY You can't write against a read only replica. script: 1, on @user_script:1.", "MASTERDOWN Link with MASTER is down",
		"BUSY Redis is busy running a script", "OOM command not allowed when used memory > 'maxmemory'.", "MISCONF Redis is configured to save",
		"NOREPLICAS Not enough good replicas", "ERR max number of clients reached", "ERR Error running script (call to f_1): @user_script:9: -OOM command not allowed",
		"EXECABORT Transaction discarded because of: BUSY Redis is busy running a script",
	}
	for _, reply := range wait {
		if err := serve(t, "-"+reply+"\r\n").Get(t.Context(), "x").Err(); !Waits(fmt.Errorf("view: %w", err)) {
			t.Errorf("does not wait: %v", err)
		}
	}
	stop := []string{"WRONGTYPE Operation against a key", "NOAUTH Authentication required.", "WRONGPASS invalid", "NOPERM", "ERR unknown command", "MOVED 1 127.0.0.1:1"}
	for _, reply := range stop {
		if err := serve(t, "-"+reply+"\r\n").Get(t.Context(), "x").Err(); Waits(err) {
			t.Errorf("waits: %v", err)
		}
	}
	for _, err := range []error{io.EOF, syscall.ECONNREFUSED, &net.DNSError{}, os.ErrDeadlineExceeded, context.DeadlineExceeded, redis.ErrPoolTimeout} {
		if !Waits(err) {
			t.Errorf("does not wait: %v", err)
		}
	}
	for _, err := range []error{nil, context.Canceled, redis.ErrClosed, redis.Nil, errors.New("x"), ErrWiped} {
		if Waits(err) {
			t.Errorf("waits: %v", err)
		}
	}
}
