package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// metric returns what a worker counts under a name, over all labels; 0 where it
// does not answer.
func (w *Worker) metric(name string) (sum float64) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.t.Context()), 5*time.Second)
	defer cancel()
	code, body, err := get(ctx, "http://"+w.Admin+"/metrics")
	if err != nil || code != http.StatusOK {
		return 0
	}
	for line := range strings.Lines(body) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if !strings.HasPrefix(series, name+"{") {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			w.t.Errorf("the metric %s is %q", name, value)
		}
		sum += n
	}
	return sum
}

// applied is how many records a worker has applied.
func (w *Worker) applied() float64 {
	w.t.Helper()
	return w.metric("millrace_projector_records_total")
}

// refused is how many of a worker's batches found another position or a newer
// owner, and changed nothing.
func (w *Worker) refused() float64 {
	w.t.Helper()
	return w.metric("millrace_projector_stale_total") + w.metric("millrace_projector_fenced_total")
}

// stopped is how many of its partitions a worker let stand still.
func (w *Worker) stopped() float64 {
	w.t.Helper()
	return w.metric("millrace_projector_stopped_total")
}

// status is what `millrace view status` says of one view.
type status struct {
	View  string `json:"view"`
	State string `json:"state"`
	Live  bool   `json:"live"`
	Rows  int    `json:"rows"`
}

// statuses asks `millrace view status` for the views of a configuration, at the
// Redis of that address.
func (e *Env) statuses(config, redis string) (all []status) {
	e.t.Helper()
	out := e.millrace(redis, config, "view", "status", "-o", "json")
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		e.t.Fatalf("view status prints %s: %v", out, err)
	}
	return all
}

// millrace runs a command of the operator with a configuration and returns what
// it prints.
func (e *Env) millrace(redis, config string, args ...string) string {
	e.t.Helper()
	var stderr strings.Builder
	args = append(args, "--config", config)
	cmd := exec.CommandContext(e.context(), binaries.Binary(e.t, "millrace"), args...)
	cmd.Env = append(os.Environ(), e.variables()...)
	cmd.Env = append(cmd.Env, RedisVar+"="+redis, "MILLRACE_ADMIN=off")
	cmd.Dir, cmd.Stderr = filepath.Dir(config), &stderr
	out, err := cmd.Output()
	if err != nil {
		e.t.Fatalf("millrace %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// waitState waits until the only view of a configuration is in a state.
func (e *Env) waitState(timeout time.Duration, config, redis, state string) {
	e.t.Helper()
	Poll(e.t, timeout, func() (bool, string) {
		all := e.statuses(config, redis)
		return len(all) == 1 && all[0].State == state, fmt.Sprintf("the view is %v, not %s", all, state)
	})
}

// hears waits until the channel of a fault is closed.
func hears(t testing.TB, struck <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-struck:
	case <-time.After(time.Minute):
		t.Fatalf("after a minute no fault has struck: %s", what)
	}
}
