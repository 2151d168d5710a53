package e2e

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"
)

// Poll asks until done, every 20 ms. After the timeout the test fails with what
// was last said to be missing.
func Poll(tb testing.TB, timeout time.Duration, ask func() (done bool, missing string)) {
	tb.Helper()
	deadline := time.Now().Add(timeout)
	for {
		done, missing := ask()
		if done {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("after %s: %s", timeout, missing)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// get asks an HTTP address once, over a connection of its own.
func get(ctx context.Context, url string) (code int, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	req.Close = true
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, string(b), err
}
