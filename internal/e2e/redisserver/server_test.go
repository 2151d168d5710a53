package redisserver

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/millrace/millrace/internal/e2e/freeport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newServer(t *testing.T) Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server (apt-get install redis-server)")
	}
	s := Server{Dir: t.TempDir(), Port: freeport.Get(t)}
	t.Cleanup(func() {
		if err := s.Kill(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Start(testContext(t)); err != nil {
		t.Fatal(err)
	}
	return s
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func set(t *testing.T, s Server, value string) {
	t.Helper()
	client := s.client()
	defer client.Close()
	if err := client.Set(testContext(t), "key", value, 0).Err(); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, s Server, want []any) {
	t.Helper()
	client := s.client()
	defer client.Close()
	got, err := client.MGet(testContext(t), "key").Result()
	if err != nil || len(got) != 1 || got[0] != want[0] {
		t.Errorf("key holds %v, %v, want %v", got, err, want)
	}
}

func TestRestoreGoesBack(t *testing.T) {
	s := newServer(t)
	dump := filepath.Join(t.TempDir(), "older.rdb")
	set(t, s, "old")
	if err := s.Save(testContext(t), dump); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a dump can be used again
		set(t, s, "new")
		if err := s.Restore(testContext(t), dump); err != nil {
			t.Fatal(err)
		}
		expect(t, s, []any{"old"})
	}
}

func TestRestartIsEmpty(t *testing.T) {
	s := newServer(t)
	set(t, s, "old")
	if err := s.Save(testContext(t), filepath.Join(t.TempDir(), "unused.rdb")); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(testContext(t)); err != nil {
		t.Fatal(err)
	}
	expect(t, s, []any{nil})
}

func TestStartIsIdempotent(t *testing.T) {
	s := newServer(t)
	set(t, s, "kept")
	if err := s.Start(testContext(t)); err != nil {
		t.Fatal(err)
	}
	expect(t, s, []any{"kept"})
}

func TestPortInUse(t *testing.T) {
	s := newServer(t)
	other := Server{Dir: t.TempDir(), Port: s.Port}
	if err := other.Start(testContext(t)); err == nil {
		t.Error("two servers on one port")
	}
	set(t, s, "alive")
}
