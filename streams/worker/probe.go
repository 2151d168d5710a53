package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// probe is what --probe asks; empty asks nothing.
type probe string

const (
	probeLive  probe = "live"
	probeReady probe = "ready"
)

// patience is how long --probe waits for the answer. A worker that takes longer
// to say that it lives stands still.
const patience = 3 * time.Second

// maxAnswer bounds what --probe reads of an answer.
const maxAnswer = 64 << 10

// IsBoolFlag lets --probe stand without a value.
func (p *probe) IsBoolFlag() bool { return true }

// String implements [flag.Value].
func (p *probe) String() string { return string(*p) }

// Set implements [flag.Value].
func (p *probe) Set(value string) error {
	switch value {
	case "true", string(probeLive): // --probe alone is true
		*p = probeLive
	case string(probeReady):
		*p = probeReady
	default:
		return errors.New("neither live nor ready")
	}
	return nil
}

// probe asks the worker that runs with the same file, and prints what is wrong
// with it. The rest of the file may be wrong.
func (p *process) probe(f flags) int {
	if _, err := p.read(f.config, map[string]any{"admin": &p.admin}); err != nil {
		fmt.Fprintln(p.err, err)
		return exitUsage
	}
	if err := ask(context.Background(), p.app.Name, p.admin.Addr, f.probe); err != nil {
		fmt.Fprintf(p.err, "%s: not %s: %v\n", p.app.Name, f.probe, err)
		return exitFailure
	}
	return exitOK
}

// ask asks the admin server of a worker at addr and returns why it does not
// answer 200.
func ask(ctx context.Context, worker, addr string, what probe) error {
	if addr == AdminOff {
		return fmt.Errorf("admin.addr is %q, so nobody answers; give it host:port, as in 127.0.0.1:8080", AdminOff)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// An unspecified address reaches this machine, as the system has it; a proxy
	// would not.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/"+string(what)+"z", http.NoBody)
	if err != nil {
		return fmt.Errorf("admin.addr: %w", err)
	}
	response, err := client.Do(request)
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s gave no answer within %v; the worker stands still", addr, patience)
	}
	if err != nil {
		return fmt.Errorf("%w; does the worker run?", err)
	}
	defer response.Body.Close()
	switch who := response.Header.Get(headerWorker); {
	case who == "":
		return fmt.Errorf("%s answers %s; another program has the port", addr, response.Status)
	case who != worker:
		return fmt.Errorf("%s is the address of a worker called %s; %s", addr, who, ownAddr)
	case response.StatusCode == http.StatusOK:
		return nil
	}
	why, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // what came of it says enough
	return errors.New(strings.TrimSpace(string(why)))
}
