package e2e

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace/millrace/streams/streamstest"
)

// Proxy stands in front of a Redis server. Its Link gives the faults: cut, down
// and up, freeze and thaw, and one that strikes at the nth command, such as a
// reply that is lost after the command was carried out. A Proxy is safe for
// concurrent use.
type Proxy struct {
	*streamstest.Link

	listener net.Listener
	delay    atomic.Int64
	wg       sync.WaitGroup // the accept loop and all connections
}

// Proxy returns a proxy in front of the Redis of the environment. Workers that
// are started later go through it.
func (e *Env) Proxy() *Proxy {
	e.t.Helper()
	p := NewProxy(e.t, e.RedisAddr)
	e.RedisAddr = p.Addr()
	return p
}

// NewProxy returns a proxy in front of the Redis server at the address. It is
// closed when the test ends.
func NewProxy(tb testing.TB, address string) *Proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{listener: listener}
	tb.Cleanup(p.wg.Wait)
	p.Link = streamstest.NewRedisLink(tb, func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	})
	tb.Cleanup(func() { _ = listener.Close() })
	p.wg.Go(p.accept)
	return p
}

// Addr is the address for clients.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Delay makes every reply wait that long, one after another on each connection.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(client) })
	}
}

// serve carries a connection until either side closes it.
func (p *Proxy) serve(client net.Conn) {
	server, err := p.Dial(context.Background(), "tcp", "")
	if err != nil {
		_ = client.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { carry(server, client, nil) })
	both.Go(func() { carry(client, server, p.wait) })
	both.Wait()
}

func (p *Proxy) wait() { time.Sleep(time.Duration(p.delay.Load())) }

// carry copies from one connection to the other, waiting before each piece, and
// closes both at the end. The link hands out one reply at a time.
func carry(to, from net.Conn, wait func()) {
	defer func() { _ = errors.Join(to.Close(), from.Close()) }()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if wait != nil {
				wait()
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
