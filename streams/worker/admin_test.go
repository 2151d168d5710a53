package worker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func get(h http.Handler, path, accept string) (int, string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestProbes(t *testing.T) {
	h := NewHealth()
	admin := adminHandler(h, prometheus.NewRegistry(), false)
	expect := func(path, accept string, code int, body string) {
		t.Helper()
		if c, b := get(admin, path, accept); c != code || strings.TrimSpace(b) != body {
			t.Errorf("%s: %d %s, want %d %s", path, c, b, code, body)
		}
	}
	expect("/livez", "", 200, "ok")
	expect("/startupz", "", 503, "starting")
	expect("/readyz", "", 503, "worker: starting")
	h.SetStarted()
	expect("/startupz", "", 200, "ok")
	expect("/readyz", "", 200, "ok")
	expect("/readyz", "application/json", 200, `{"components":[],"ready":true}`)
	h.SetReady("view fine", false, "3 of 12 partitions are building")
	h.SetReady("redis", false, "away")
	h.SetReady("kafka", true, "not shown")
	expect("/readyz", "text/html", 503, "redis: away\nview fine: 3 of 12 partitions are building")
	h.SetReady("redis", true, "")
	expect("/readyz", "application/json", 503, `{"components":[{"name":"kafka","ready":true},{"name":"redis","ready":true},`+
		`{"name":"view fine","ready":false,"why":"3 of 12 partitions are building"}],"ready":false}`)
	h.Forget("view fine")
	expect("/readyz", "", 200, "ok")
	h.SetLive(false, "deadlock")
	expect("/livez", "", 503, "deadlock")
	h.SetLive(false, "")
	expect("/livez", "", 503, "not alive")
	h.SetLive(true, "x")
	expect("/livez", "", 200, "ok")
	if code, _ := get(admin, "/nothing", ""); code != 404 {
		t.Errorf("/nothing answers %d", code)
	}
}

func TestProbesAskComponents(t *testing.T) {
	h := NewHealth()
	h.SetStarted()
	var why []string
	h.Ask("projector", func() []string {
		h.SetReady("redis", true, "") // it may report while it is asked
		return why
	})
	admin := adminHandler(h, prometheus.NewRegistry(), false)
	if code, body := get(admin, "/readyz", ""); code != 200 {
		t.Errorf("%d %s", code, body)
	}
	why = []string{"fine fines/3: building", "fine fines/4: building"}
	if code, body := get(admin, "/readyz", ""); code != 503 || body != "projector: fine fines/3: building\nprojector: fine fines/4: building\n" {
		t.Errorf("%d %s", code, body)
	}
}

func TestMetrics(t *testing.T) {
	_, body := get(adminHandler(NewHealth(), newMetrics("tiny", readVersion("v1")), false), "/metrics", "")
	for _, want := range []string{`millrace_build_info{commit="`, `version="v1",worker="tiny"} 1`, "go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
}

func TestPprofOnLoopbackOnly(t *testing.T) {
	for addr, want := range map[string]int{"127.0.0.1:0": 200, "localhost:0": 200, "0.0.0.0:0": 404, ":0": 404} {
		a, err := listenAdmin("tiny", AdminConfig{Addr: addr}, NewHealth(), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		if code, _ := get(a.server.Handler, "/debug/pprof/", ""); code != want {
			t.Errorf("%s: pprof answers %d, want %d", addr, code, want)
		}
		a.listener.Close()
	}
}

func TestAdminErrors(t *testing.T) {
	if _, err := listenAdmin("tiny", AdminConfig{Addr: "203.0.113.1:1"}, NewHealth(), nil); err == nil || !strings.HasPrefix(err.Error(), "listening on admin.addr: ") {
		t.Errorf("got %v", err)
	}
	for _, addr := range []string{"8080", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:99999", "a:b:c"} {
		if (AdminConfig{Addr: addr}).Validate() == nil {
			t.Errorf("%q is taken for an address", addr)
		}
	}
	for _, addr := range []string{"off", "", ":8080", "[::1]:8080"} {
		if err := (AdminConfig{Addr: addr}).WithDefaults().Validate(); err != nil {
			t.Error(err)
		}
	}
}

// testWork runs work with an admin server on a port of its own.
func testWork(t *testing.T, run func(ctx context.Context, r Runtime, a *adminServer) error) error {
	t.Helper()
	r := Runtime{Log: slog.New(slog.DiscardHandler), Health: NewHealth(), Metrics: prometheus.NewRegistry()}
	a, err := listenAdmin("tiny", AdminConfig{Addr: "127.0.0.1:0"}, r.Health, r.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	p := process{app: App{Run: func(ctx context.Context, r Runtime) error { return run(ctx, r, a) }}}
	return p.work(context.Background(), r, a)
}

func TestAdminServesWhileWorking(t *testing.T) {
	err := testWork(t, func(_ context.Context, _ Runtime, a *adminServer) error {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Get("http://" + a.listener.Addr().String() + "/livez")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if body, _ := io.ReadAll(response.Body); string(body) != "ok\n" {
			t.Errorf("got %q", body)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAdminFailureEndsTheWork(t *testing.T) {
	err := testWork(t, func(ctx context.Context, _ Runtime, a *adminServer) error {
		a.listener.Close()
		<-ctx.Done()
		return context.Cause(ctx)
	})
	if !errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), "serving admin.addr") {
		t.Errorf("got %v", err)
	}
}
