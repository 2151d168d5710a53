package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/millrace/millrace/streams"
)

// AdminConfig is the admin block of the configuration: probes, metrics, and how
// the process stops.
type AdminConfig struct {
	// Addr is the address, host:port, that serves /livez, /readyz, /startupz and
	// /metrics; also /debug/pprof where it is a loopback address. "off" serves
	// nothing. Workers of one machine that share a file take it from a variable,
	// so that each has its own: ${MILLRACE_ADMIN:-127.0.0.1:8080}. Default:
	// 127.0.0.1:8080.
	Addr string `yaml:"addr"`
	// Grace is how long the worker may take to stop after SIGTERM or SIGINT; then
	// it exits with code 1. Not longer, because Kubernetes kills after 30 s by
	// itself, and not much shorter, because a batch in flight wants to be
	// written. Default: 25s.
	Grace time.Duration `yaml:"grace"`
}

// AdminOff is the address that switches the admin server off.
const AdminOff = "off"

// ownAddr says how workers that share a file get an address each.
const ownAddr = "workers that share a file get one each by a variable, addr: ${MILLRACE_ADMIN:-127.0.0.1:8080}"

// headerWorker says in each answer which worker gives it.
const headerWorker = "Millrace-Worker"

// WithDefaults returns a copy in which what was left out has its default.
func (c AdminConfig) WithDefaults() AdminConfig {
	c.Addr = cmp.Or(c.Addr, "127.0.0.1:8080")
	c.Grace = cmp.Or(c.Grace, 25*time.Second)
	return c
}

// Validate says what is wrong with a configuration that has its defaults.
func (c AdminConfig) Validate() error {
	if c.Addr == AdminOff {
		return nil
	}
	_, port, err := net.SplitHostPort(c.Addr)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return streams.FieldErrorf("addr", "addr %q is neither host:port, as in 127.0.0.1:8080, nor %q", c.Addr, AdminOff)
	}
	return nil
}

// adminServer answers probes and scrapes.
type adminServer struct {
	listener net.Listener // nil where it is switched off
	server   http.Server
}

// listenAdmin opens the port of a worker, so that a port in use is found before
// anything else begins.
func listenAdmin(worker string, c AdminConfig, h *Health, metrics prometheus.Gatherer) (*adminServer, error) {
	a := &adminServer{}
	if c.Addr == AdminOff {
		return a, nil
	}
	listener, err := net.Listen("tcp", c.Addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listening on %s: the address is in use; give admin.addr another port, or %q; %s", c.Addr, AdminOff, ownAddr)
	case err != nil:
		return nil, fmt.Errorf("listening on admin.addr: %w", err)
	}
	a.listener = listener
	a.server = http.Server{
		Handler:           named(worker, adminHandler(h, metrics, isLoopback(listener.Addr()))),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
	}
	return a, nil
}

// isLoopback says whether only this machine can reach an address.
func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

func adminHandler(h *Health, metrics prometheus.Gatherer, debug bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", h.serveLive)
	mux.HandleFunc("GET /readyz", h.serveReady)
	mux.HandleFunc("GET /startupz", h.serveStarted)
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	if debug {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// named says in each answer which worker gives it.
func named(worker string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(headerWorker, worker)
		h.ServeHTTP(w, r)
	})
}

// serve answers until stop is called. It is to be run in a goroutine.
func (a *adminServer) serve() error {
	if a.listener == nil {
		return nil
	}
	if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving admin.addr: %w", err)
	}
	return nil
}

// stop lets answers under way end, for a second at most.
func (a *adminServer) stop() {
	if a.listener == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if a.server.Shutdown(ctx) != nil {
		_ = a.server.Close() // the process ends anyway
	}
}
