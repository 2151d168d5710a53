package worker

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Health is what the probes answer. Runtimes report to it through functions
// that their main hands them. It is safe for concurrent use.
type Health struct {
	mu         sync.Mutex
	started    bool
	dead       string
	components map[string]Component
	asked      map[string]func() []string
}

// Component is one part of a worker that can be ready or not.
type Component struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
	// Why says what it waits for, in one sentence or several; empty where it is
	// ready.
	Why string `json:"why,omitempty"`

	reasons []string // the sentences
}

func newComponent(name string, ready bool, reasons ...string) Component {
	if ready {
		reasons = nil
	}
	return Component{name, ready, strings.Join(reasons, "; "), reasons}
}

// NewHealth returns one that is alive, not started, and has no components.
func NewHealth() *Health {
	return &Health{components: map[string]Component{}, asked: map[string]func() []string{}}
}

// Ask makes a component answer for itself whenever a probe asks: with what it
// waits for, one sentence each, or nothing where it is ready. The function must
// be safe for concurrent use and come back soon.
func (h *Health) Ask(component string, notReady func() []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked[component] = notReady
}

// SetReady says whether a component is ready, and if not, why not. It may
// be called often.
func (h *Health) SetReady(component string, ready bool, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.components[component] = newComponent(component, ready, why)
}

// Forget removes a component, such as a partition that was given away.
func (h *Health) Forget(component string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.components, component)
}

// SetStarted says that the worker has begun its work. It stays started.
func (h *Health) SetStarted() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = true
}

// SetLive says whether the process can go on; a process that cannot is
// restarted by its orchestrator.
func (h *Health) SetLive(live bool, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dead = why
	if live {
		h.dead = ""
	} else if why == "" {
		h.dead = "not alive"
	}
}

// Ready returns the components, those that are asked last, and whether the
// worker has started and all of them are ready.
func (h *Health) Ready() (ready bool, components []Component) {
	components = []Component{} // an empty list in JSON, not null
	h.mu.Lock()
	started := h.started
	for _, name := range sortedKeys(h.components) {
		components = append(components, h.components[name])
	}
	asked := maps.Clone(h.asked)
	h.mu.Unlock()
	// without the lock: whoever is asked may report something, too
	for _, name := range sortedKeys(asked) {
		why := asked[name]()
		components = append(components, newComponent(name, len(why) == 0, why...))
	}
	if !started {
		components = slices.Insert(components, 0, newComponent("worker", false, "starting"))
	}
	notReady := slices.ContainsFunc(components, func(c Component) bool { return !c.Ready })
	return !notReady, components
}

func (h *Health) serveLive(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	why := h.dead
	h.mu.Unlock()
	answer(w, why == "", why)
}

func (h *Health) serveStarted(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	started := h.started
	h.mu.Unlock()
	answer(w, started, "starting")
}

// serveReady answers with one line for each thing that is waited for; with all
// components as JSON where the request accepts that.
func (h *Health) serveReady(w http.ResponseWriter, r *http.Request) {
	ready, components := h.Ready()
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status(ready))
		// an error here is a client that left
		_ = json.NewEncoder(w).Encode(map[string]any{"ready": ready, "components": components})
		return
	}
	var lines []string
	for _, c := range components {
		for _, reason := range c.reasons {
			lines = append(lines, c.Name+": "+reason)
		}
	}
	answer(w, ready, strings.Join(lines, "\n"))
}

func answer(w http.ResponseWriter, ok bool, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status(ok))
	if ok {
		why = "ok"
	}
	fmt.Fprintln(w, why)
}

func status(ok bool) int {
	if ok {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}
