package worker

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// serveHealth answers for h on every address of this machine, and returns the
// port. A proxy is set, which would not get there.
func serveHealth(t *testing.T, h *Health) string {
	t.Helper()
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	a, err := listenAdmin("tiny", AdminConfig{Addr: ":0"}, h, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- a.serve() }()
	t.Cleanup(func() {
		a.stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	_, port, err := net.SplitHostPort(a.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestAsk(t *testing.T) {
	h := NewHealth()
	addr := "127.0.0.1:" + serveHealth(t, h)
	expect := func(what probe, why string) {
		t.Helper()
		got := ""
		if err := ask(t.Context(), "tiny", addr, what); err != nil {
			got = err.Error()
		}
		if got != why {
			t.Errorf("%s: got %q, want %q", what, got, why)
		}
	}
	expect(probeLive, "")
	expect(probeReady, "worker: starting")
	h.SetStarted()
	h.SetReady("redis", false, "away")
	h.SetReady("view fine", false, "3 of 12 partitions are building")
	expect(probeLive, "")
	expect(probeReady, "redis: away\nview fine: 3 of 12 partitions are building")
	h.Forget("redis")
	h.SetReady("view fine", true, "")
	expect(probeReady, "")
	h.SetLive(false, "deadlock")
	expect(probeLive, "deadlock")
}

func TestAskAtAnyAddress(t *testing.T) {
	h := NewHealth()
	port := serveHealth(t, h)
	for _, host := range []string{"", "0.0.0.0", "127.0.0.1", "localhost", "[::]"} {
		if err := ask(t.Context(), "tiny", host+":"+port, probeLive); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestAskAWorkerThatStandsStill(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // connections wait, and nobody takes them
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	start := time.Now()
	err = ask(t.Context(), "tiny", l.Addr().String(), probeReady)
	if want := l.Addr().String() + " gave no answer within 3s; the worker stands still"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if took := time.Since(start); took < patience || took > 3*patience {
		t.Errorf("after %v", took)
	}
}

func TestAskAnotherProgram(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	addr := s.Listener.Addr().String()
	if err := ask(t.Context(), "tiny", addr, probeLive); err == nil || err.Error() != addr+" answers 404 Not Found; another program has the port" {
		t.Errorf("got %v", err)
	}
}

// TestAskAnotherWorker of the same file, which has the port: that it is ready says
// nothing of this one.
func TestAskAnotherWorker(t *testing.T) {
	h := NewHealth()
	h.SetStarted()
	addr := "127.0.0.1:" + serveHealth(t, h)
	want := addr + " is the address of a worker called tiny; workers that share a file get one each by a variable, addr: ${MILLRACE_ADMIN:-127.0.0.1:8080}"
	for _, what := range []probe{probeLive, probeReady} {
		if err := ask(t.Context(), "huge", addr, what); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", what, err, want)
		}
	}
}

func TestAskBoundsTheAnswer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(headerWorker, "tiny")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(strings.Repeat("x", 2*maxAnswer)))
	}))
	defer s.Close()
	if err := ask(t.Context(), "tiny", s.Listener.Addr().String(), probeLive); err == nil || len(err.Error()) != maxAnswer {
		t.Errorf("got %.20q", err)
	}
}
