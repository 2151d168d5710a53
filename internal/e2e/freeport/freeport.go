// Package freeport finds ports for the processes that a test starts.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// The ports that are tried. The system gives higher ones to connections that go
// out, also while a server that a test restarts is away: such a connection can
// even meet itself.
const first, last = 20_000, 32_000

// Get returns a port of 127.0.0.1 that nobody listens on. Nothing keeps it free:
// use it soon.
func Get(tb testing.TB) int {
	tb.Helper()
	return Row(tb, 1)
}

// Row returns the first of n ports that follow each other.
func Row(tb testing.TB, n int) int {
	tb.Helper()
	for range 100 {
		port := first + rand.IntN(last-first-n)
		if free(port, n) {
			return port
		}
	}
	tb.Fatalf("no %d ports in a row between %d and %d are free", n, first, last)
	return 0
}

func free(port, n int) bool {
	for i := range n {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+i)))
		if err != nil || l.Close() != nil {
			return false
		}
	}
	return true
}
