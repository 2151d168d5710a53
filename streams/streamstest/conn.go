package streamstest

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// conn carries requests and replies, one message at a time, between a client
// and a server. Replies wait in a queue without a bound, as in the buffers of a
// real network: a client may send all of a pipeline before it reads.
type conn struct {
	link   *Link
	wire   wire
	client net.Conn // our end of the pipe to the client
	server net.Conn // our end of the connection to the server
	done   chan struct{}
	once   sync.Once
	more   chan struct{} // holds one token while the queue may have something

	mu      sync.Mutex
	pending map[int32]*armed // faults that strike at the reply with this ID
	queue   [][]byte
}

// newConn returns the connection and the client's end of it.
func newConn(l *Link, server net.Conn) (*conn, net.Conn) {
	ours, theirs := net.Pipe()
	return &conn{
		link:    l,
		wire:    l.wire(),
		client:  ours,
		server:  server,
		done:    make(chan struct{}),
		more:    make(chan struct{}, 1),
		pending: make(map[int32]*armed),
	}, clientConn{theirs}
}

func (c *conn) start() {
	for _, carry := range []func(){c.requests, c.replies, c.deliver} {
		c.link.conns.Go(func() {
			defer c.link.forget(c)
			defer c.close()
			carry()
		})
	}
}

func (c *conn) close() {
	c.once.Do(func() {
		close(c.done)
		c.client.Close()
		c.server.Close()
	})
}

// requests carries requests to the server.
func (c *conn) requests() {
	r := bufio.NewReader(c.client)
	for {
		m, err := c.wire.request(r)
		if err != nil {
			return
		}
		if f := c.link.strikes(m); f != nil && !c.strike(f, m.id) {
			return
		}
		if c.link.flow(c.done) != nil {
			return
		}
		if _, err := c.server.Write(m.bytes); err != nil {
			return
		}
	}
}

// strike applies a fault at a request. It says whether the request goes on.
func (c *conn) strike(f *armed, id int32) bool {
	switch f.Action {
	case CutRequest:
		f.happened()
		return false
	case FreezeRequest:
		c.link.Freeze()
		f.happened()
	default:
		c.mu.Lock()
		c.pending[id] = f
		c.mu.Unlock()
	}
	return true
}

// replies reads replies from the server and queues them for the client.
func (c *conn) replies() {
	r := bufio.NewReader(c.server)
	for {
		m, err := c.wire.reply(r)
		if err != nil {
			return
		}
		f := c.due(m.id)
		if f != nil && f.Action == CutReply {
			f.happened()
			return
		}
		if f != nil {
			c.link.Freeze()
			f.happened()
		}
		c.push(m.bytes)
	}
}

// due returns the fault that strikes at a reply, if any.
func (c *conn) due(id int32) *armed {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.pending[id]
	delete(c.pending, id)
	return f
}

func (c *conn) push(reply []byte) {
	c.mu.Lock()
	c.queue = append(c.queue, reply)
	c.mu.Unlock()
	select {
	case c.more <- struct{}{}:
	default:
	}
}

// deliver carries what was read to the client.
func (c *conn) deliver() {
	for {
		select {
		case <-c.more:
		case <-c.done:
			return
		}
		for _, b := range c.take() {
			if c.link.flow(c.done) != nil {
				return
			}
			if _, err := c.client.Write(b); err != nil {
				return
			}
		}
	}
}

func (c *conn) take() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	queue := c.queue
	c.queue = nil
	return queue
}

// clientConn gives the errors of a real socket: clients tell by them whether to
// try again.
type clientConn struct{ net.Conn }

func (c clientConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)}
	}
	return n, err
}

func (c clientConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = net.ErrClosed
	}
	return n, err
}

// A socket takes deadlines when its other end is closed; the next read or write
// tells.

func (c clientConn) SetDeadline(t time.Time) error { c.Conn.SetDeadline(t); return nil }

func (c clientConn) SetReadDeadline(t time.Time) error { c.Conn.SetReadDeadline(t); return nil }

func (c clientConn) SetWriteDeadline(t time.Time) error { c.Conn.SetWriteDeadline(t); return nil }
