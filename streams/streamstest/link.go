package streamstest

import (
	"context"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
)

// Link is the network between one client and one server. Its faults reach the
// connections that were dialled through it and no others. It is safe for
// concurrent use.
type Link struct {
	dial DialFunc
	wire func() wire

	conns sync.WaitGroup // goroutines of all connections

	mu     sync.Mutex
	open   map[*conn]struct{}
	down   bool
	thawed chan struct{} // nil while the link flows; closed by Thaw
	faults []*armed
	counts map[string]int // requests by name, in capitals
}

func newLink(dial DialFunc, wire func() wire) *Link {
	return &Link{dial: dial, wire: wire, open: make(map[*conn]struct{}), counts: make(map[string]int)}
}

// Dial opens a connection. While the link is down it is refused, while the link
// is frozen it waits.
func (l *Link) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := l.flow(ctx.Done()); err != nil {
		return nil, refused(ctx)
	}
	server, err := l.dial(ctx, network, address)
	if err != nil {
		return nil, refused(ctx)
	}
	c, client := newConn(l, server)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		c.close()
		return nil, refused(ctx)
	}
	l.open[c] = struct{}{}
	c.start()
	return client, nil
}

// Requests is how many requests of that name clients have sent: a Redis command
// or a Kafka request, in any case.
func (l *Link) Requests(name string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[strings.ToUpper(name)]
}

// Cut closes every connection. New ones can be opened at once.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cutLocked()
}

// Down closes every connection and refuses new ones until Up.
func (l *Link) Down() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	l.cutLocked()
}

// Up ends Down.
func (l *Link) Up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// Freeze stops all traffic until Thaw: connections stay open, and what was sent
// arrives afterwards. To the server it is as if the client were stopped, to the
// client as if the server were.
func (l *Link) Freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.thawed == nil {
		l.thawed = make(chan struct{})
	}
}

// Thaw ends Freeze.
func (l *Link) Thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.thawed != nil {
		close(l.thawed)
		l.thawed = nil
	}
}

// close ends every connection and waits for their goroutines.
func (l *Link) close() {
	l.Down()
	l.Thaw()
	l.conns.Wait()
}

func (l *Link) cutLocked() {
	for c := range l.open {
		c.close()
	}
	clear(l.open)
}

func (l *Link) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

// flow waits while the link is frozen; the error is that done came first.
func (l *Link) flow(done <-chan struct{}) error {
	for {
		l.mu.Lock()
		thawed := l.thawed
		l.mu.Unlock()
		if thawed == nil {
			return nil
		}
		select {
		case <-thawed:
		case <-done:
			return context.Canceled
		}
	}
}

// refused is the error of a connection that could not be opened, as a real
// network gives it: clients tell by its type whether to try again.
func refused(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		err = os.NewSyscallError("connect", syscall.ECONNREFUSED)
	}
	return &net.OpError{Op: "dial", Net: "tcp", Err: err}
}
