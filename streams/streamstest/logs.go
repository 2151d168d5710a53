package streamstest

import (
	"strings"
	"sync"
)

// Logs keeps what a logger writes: slog.NewTextHandler(&logs, nil). The zero
// value is empty. Safe for concurrent use.
type Logs struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write implements [io.Writer].
func (l *Logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns all that was written.
func (l *Logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
