package projection

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// waitingCodes begin the error replies of a Redis that will do the same command
// later: it is loading, failing over, moving slots, short of memory, disk or
// replicas, or busy with a script.
var waitingCodes = [...]string{
	"TRYAGAIN", "CLUSTERDOWN", "LOADING", "READONLY", "MASTERDOWN", "BUSY", "OOM",
	"MISCONF", "NOREPLICAS", "ERR max number of clients reached",
}

// Waits says whether an error of Redis means to wait and try again: Redis is
// away or cannot serve for the moment. It never says so of a context that was
// cancelled or a client that was closed.
func Waits(err error) bool {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, redis.ErrClosed):
		return false
	case errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return true
	}
	var reply redis.Error
	if errors.As(err, &reply) {
		return waitingReply(reply.Error())
	}
	var network net.Error
	var system syscall.Errno
	return errors.As(err, &network) || errors.As(err, &system)
}

func waitingReply(s string) bool {
	s = strings.TrimPrefix(s, "EXECABORT Transaction discarded because of: ")
	for _, code := range waitingCodes {
		if strings.HasPrefix(s, code) {
			return true
		}
		// how Redis before 7 reports an error of a command in a script
		if strings.HasPrefix(s, "ERR ") && strings.Contains(s, ": -"+code+" ") {
			return true
		}
	}
	return false
}
