package streamstest

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Redis is a Redis that lives as long as a test. It is safe for concurrent use.
type Redis struct {
	t      testing.TB
	addr   string
	remote DialFunc // nil where the server is of this process
	main   *Link
	mu     sync.Mutex
	live   *miniredis.Miniredis // nil while stopped
	links  []*Link
}

// redisAddr is a number, not a name: go-redis resolves names even when it has a
// dialer, and the resolver does not work in a synctest bubble.
const redisAddr = "127.0.0.1:6379"

func newRedis(t testing.TB) *Redis {
	r := &Redis{t: t, addr: redisAddr, live: miniredis.NewMiniRedis()}
	r.begin()
	return r
}

func (r *Redis) begin() {
	r.main = r.Link()
	r.t.Cleanup(r.close)
}

// Addr is an address for clients. Their dialer is [Redis.Dial] or that of a
// link, which take any address.
func (r *Redis) Addr() string { return r.addr }

// Dial opens a connection through the main link.
func (r *Redis) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return r.main.Dial(ctx, network, address)
}

// MainLink is the link of Dial.
func (r *Redis) MainLink() *Link { return r.main }

// Link returns a new link, for a client that is to have faults of its own.
func (r *Redis) Link() *Link {
	l := newLink(r.dial, func() wire { return new(redisWire) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.links = append(r.links, l)
	return l
}

// Client returns a client on a link of its own, which no fault of others
// reaches. It is closed when the test ends.
func (r *Redis) Client() *redis.Client {
	client := newClient(r.Link().Dial)
	r.t.Cleanup(func() { client.Close() })
	return client
}

func newClient(dial DialFunc) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: redisAddr, Dialer: dial, Protocol: 2})
}

// Hash returns the fields of a hash; none where the key does not exist.
func (r *Redis) Hash(key string) map[string]string {
	r.t.Helper()
	s := r.Snapshot()
	return s.Hash(key)
}

// Hashes returns every hash whose key begins with the prefix, by the rest of
// the key: with the prefix of a view's rows, the rows. They are all of one
// moment.
func (r *Redis) Hashes(prefix string) map[string]map[string]string {
	r.t.Helper()
	hashes := make(map[string]map[string]string)
	for key, v := range r.Snapshot().keys {
		if rest, ok := strings.CutPrefix(key, prefix); ok && v.kind == "hash" {
			hashes[rest] = v.hash()
		}
	}
	return hashes
}

// Wipe removes everything, as FLUSHALL does: connections and scripts stay.
func (r *Redis) Wipe() { r.t.Helper(); r.Restore(nil) }

// Restore puts the state of a snapshot in the place of what is there, in one
// moment, while connections and scripts stay. Nil: the empty state.
func (r *Redis) Restore(s *Snapshot) {
	r.t.Helper()
	r.ours("restoring")
	if m := r.server(); m == nil {
		r.t.Fatal("streamstest: restoring Redis: it is stopped; give the snapshot to Start")
	} else if err := s.load(m); err != nil {
		r.t.Fatalf("streamstest: restoring Redis: %v", err)
	}
}

// Stop ends the server: connections are closed, and new ones refused. The state
// is gone.
func (r *Redis) Stop() {
	r.t.Helper()
	r.ours("stopping")
	r.stop()
}

func (r *Redis) stop() {
	r.mu.Lock()
	m := r.live
	r.live = nil
	r.mu.Unlock()
	if m != nil {
		m.Close()
	}
}

// Start starts a stopped server with the state of a snapshot; nil: the empty
// state. It knows no scripts.
func (r *Redis) Start(s *Snapshot) {
	r.t.Helper()
	r.ours("starting")
	m := miniredis.NewMiniRedis()
	if err := s.load(m); err != nil {
		r.t.Fatalf("streamstest: starting Redis: %v", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.live != nil {
		r.t.Fatal("streamstest: starting Redis: it runs already; stop it first")
	}
	r.live = m
}

// Restart is Stop, then Start.
func (r *Redis) Restart(s *Snapshot) { r.t.Helper(); r.Stop(); r.Start(s) }

// Server is the server itself, for what is not offered here; nil while it is
// stopped, and after [Connect]. A restart makes a new one.
func (r *Redis) Server() *miniredis.Miniredis { return r.server() }

func (r *Redis) server() *miniredis.Miniredis {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live
}

func (r *Redis) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if r.remote != nil {
		return r.remote(ctx, "tcp", r.addr)
	}
	m := r.server()
	if m == nil {
		return nil, refused(ctx)
	}
	return m.Dial()
}

func (r *Redis) close() {
	r.mu.Lock()
	links := r.links
	r.mu.Unlock()
	for _, l := range links {
		l.close()
	}
	r.stop()
}

// ours ends the test where the server runs elsewhere.
func (r *Redis) ours(doing string) {
	r.t.Helper()
	if r.remote != nil {
		r.t.Fatalf("streamstest: %s Redis: it runs elsewhere", doing)
	}
}
