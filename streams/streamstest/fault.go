package streamstest

import (
	"bytes"
	"slices"
	"strings"
)

// Action is what a [Fault] does.
type Action uint8

// The actions.
const (
	// CutRequest closes the connection; the server never sees the request.
	CutRequest Action = iota
	// CutReply closes the connection when the server has answered: the request
	// is carried out, and its client does not hear of it.
	CutReply
	// FreezeRequest freezes the link before the request arrives.
	FreezeRequest
	// FreezeReply freezes the link when the server has answered.
	FreezeReply
)

// Fault strikes once, at one request.
type Fault struct {
	// Request is the name of the requests that count: a Redis command (EVALSHA)
	// or a Kafka request (EndTxn, Produce), in any case. Default: every one.
	Request string
	// Holds are what such a request has to have in it, as it is sent, to count:
	// the ID of a topic, the hash of a script. Default: nothing.
	Holds [][]byte
	// Nth is which of them it strikes, counted over all connections of the link
	// from now on. Default: 1, the next.
	Nth int
	// Action is what happens. Default: CutRequest.
	Action Action
}

// armed is a fault that waits for its request.
type armed struct {
	Fault
	struck chan struct{}
}

func (f *armed) happened() { close(f.struck) }

// counts says whether a request is one of those that count.
func (f *armed) counts(m message) bool {
	lacks := func(part []byte) bool { return !bytes.Contains(m.bytes, part) }
	return (f.Request == "" || strings.EqualFold(f.Request, m.name)) && !slices.ContainsFunc(f.Holds, lacks)
}

// Inject arms a fault. The channel is closed when it has struck.
func (l *Link) Inject(f Fault) <-chan struct{} {
	a := &armed{Fault: f, struck: make(chan struct{})}
	a.Nth = max(1, f.Nth)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, a)
	return a.struck
}

// strikes counts a request and returns the fault that strikes at it, if any.
// Where two do, the later one waits for the next request.
func (l *Link) strikes(m message) *armed {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[strings.ToUpper(m.name)]++
	var hit *armed
	for _, f := range l.faults {
		if !f.counts(m) {
			continue
		}
		if f.Nth > 1 {
			f.Nth--
		} else if hit == nil {
			hit = f
		}
	}
	if hit != nil {
		l.faults = slices.DeleteFunc(l.faults, func(f *armed) bool { return f == hit })
	}
	return hit
}
