package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/streams/streamstest"
)

// binaries are those of the workers, built by the first test that needs one.
var binaries Build

// dummyVar makes this test binary a worker that answers probes.
const dummyVar = "MILLRACE_E2E_DUMMY"

func TestMain(m *testing.M) {
	if os.Getenv(dummyVar) != "" {
		dummy()
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := binaries.Remove(); err != nil {
			fmt.Println(err)
		}
		os.Exit(code)
	}))
}

// dummy is a worker: ready from the second question on.
func dummy() {
	fmt.Println("dummy started with", os.Args[1:], os.Getenv("MILLRACE_PREFIX"))
	asked := 0
	err := http.ListenAndServe(os.Getenv("MILLRACE_ADMIN"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 2 {
			http.Error(w, "fines/0 is building", http.StatusServiceUnavailable)
		}
	}))
	fmt.Println(err)
	os.Exit(1)
}

func startDummy(t *testing.T) *Worker {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return StartWorker(t, WorkerSpec{Name: "dummy", Path: self, Args: []string{"one", "two"}, Env: []string{dummyVar + "=1"}})
}

func TestWorkerBecomesReady(t *testing.T) {
	w := startDummy(t)
	w.WaitReady(30 * time.Second)
	if want := "dummy started with [one two]"; !strings.Contains(w.Log(), want) {
		t.Errorf("log %q, want %q in it", w.Log(), want)
	}
	w.Terminate()
	if code := w.Wait(30 * time.Second); code != -1 {
		t.Errorf("exit code %d, want -1: a signal ended it", code)
	}
}

func TestWorkerIsFrozenAndWoken(t *testing.T) {
	w := startDummy(t)
	w.WaitReady(30 * time.Second)
	w.Freeze()
	Poll(t, 10*time.Second, func() (bool, string) { return state(t, w) == "T", "the worker is not frozen" })
	w.Thaw()
	Poll(t, 10*time.Second, func() (bool, string) { return state(t, w) != "T", "the worker is frozen" })
	w.WaitReady(30 * time.Second)
}

// A frozen worker can be killed.
func TestWorkerIsKilled(t *testing.T) {
	w := startDummy(t)
	w.WaitReady(30 * time.Second)
	w.Freeze()
	w.Kill()
	if code := w.Wait(time.Second); code != -1 {
		t.Errorf("exit code %d, want -1: a signal ended it", code)
	}
}

// state returns what Linux says that a process does.
func state(t *testing.T, w *Worker) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.cmd.Process.Pid))
	if err != nil {
		t.Skip("this system has no /proc")
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return rest[:1]
}

func TestRedisGoesBack(t *testing.T) {
	r := StartRedis(t)
	client := redis.NewClient(&redis.Options{Addr: r.Addr()})
	defer client.Close()
	dump := filepath.Join(t.TempDir(), "older.rdb")
	set := func(value string) {
		if err := client.Set(t.Context(), "key", value, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	set("old")
	r.Save(dump)
	set("new")
	r.Restore(dump)
	if got := client.Get(t.Context(), "key").Val(); got != "old" {
		t.Errorf("key holds %q, want old", got)
	}
	r.Kill()
	r.Start()
	if got := client.Exists(t.Context(), "key").Val(); got != 0 {
		t.Error("the key is there after a restart without a dump")
	}
}

// noRetry returns a client that tells of a lost reply.
func noRetry(t *testing.T, addr string) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
	t.Cleanup(func() { client.Close() })
	return client
}

func TestProxyLosesReply(t *testing.T) {
	r := StartRedis(t)
	p := NewProxy(t, r.Addr())
	through, straight := noRetry(t, p.Addr()), noRetry(t, r.Addr())
	struck := p.Inject(streamstest.Fault{Request: "INCR", Nth: 2, Action: streamstest.CutReply})
	var failed []int
	for i := range 4 {
		if through.Incr(t.Context(), "count").Err() != nil {
			failed = append(failed, i)
		}
	}
	<-struck
	if len(failed) != 1 || failed[0] != 1 {
		t.Errorf("calls %v failed, want [1]", failed)
	}
	if n := straight.Get(t.Context(), "count").Val(); n != "4" {
		t.Errorf("count is %s, want 4: the call without a reply was carried out", n)
	}
}

func TestProxyRefuses(t *testing.T) {
	r := StartRedis(t)
	p := NewProxy(t, r.Addr())
	client := noRetry(t, p.Addr())
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	p.Down()
	if err := client.Ping(t.Context()).Err(); err == nil {
		t.Error("answered while it was down")
	}
	p.Up()
	Poll(t, 10*time.Second, func() (bool, string) {
		err := client.Ping(t.Context()).Err()
		return err == nil, fmt.Sprint(err)
	})
}

func TestProxyDelays(t *testing.T) {
	r := StartRedis(t)
	p := NewProxy(t, r.Addr())
	client := noRetry(t, p.Addr())
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	const delay = 50 * time.Millisecond
	p.Delay(delay)
	began := time.Now()
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < delay {
		t.Errorf("answered after %s, want at least %s", took, delay)
	}
}

func TestEnvCleansUp(t *testing.T) {
	if os.Getenv(KafkaVar) == "" || os.Getenv(RedisVar) == "" {
		t.Skipf("%s or %s is not set; %s", KafkaVar, RedisVar, howToStart)
	}
	var id, topic string
	t.Run("uses", func(t *testing.T) {
		e := New(t)
		id, topic = e.ID, e.Topic("fines", 3)
		client := e.Client(kgo.DefaultProduceTopic(topic))
		if err := client.ProduceSync(t.Context(), kgo.StringRecord("x")).FirstErr(); err != nil {
			t.Fatal(err)
		}
		row := e.Prefix + "{fine.1}:r:fine-*A"
		if err := e.Redis.HSet(t.Context(), row, "paid", "31.3").Err(); err != nil {
			t.Fatal(err)
		}
		if rows := e.Rows("fine", 1); len(rows) != 1 || rows["fine-*A"]["paid"] != "31.3" {
			t.Errorf("rows %v", rows)
		}
	})
	e := New(t)
	if keys := e.keys(id); len(keys) > 0 {
		t.Errorf("keys %v are left", keys)
	}
	Poll(t, 10*time.Second, func() (bool, string) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		topics, err := e.Admin.ListTopics(ctx)
		return err == nil && !topics.Has(topic), "the topic is left"
	})
}

func TestNewSkipsWithoutServices(t *testing.T) {
	t.Setenv(KafkaVar, "")
	var inner *testing.T
	t.Run("inner", func(t *testing.T) {
		inner = t
		New(t)
		t.Error("did not skip")
	})
	if !inner.Skipped() {
		t.Error("did not skip")
	}
}

func TestEscapeGlob(t *testing.T) {
	if got, want := escapeGlob(`a*b?c[d]e\f{g}`), `a\*b\?c\[d\]e\\f{g}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
