// Package freeport finds ports for the processes that a test starts.
package freeport

import (
	"net"
	"testing"
)

// Get returns a port of 127.0.0.1 that nobody listens on. Nothing keeps it free:
// use it soon.
func Get(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		tb.Fatal(err)
	}
	return port
}
