package follow

import (
	"context"
	"errors"
	"sync"

	"github.com/millrace/millrace/streams/kafka"
)

// Ends lists the stable ends of topics for everybody who asks. A listing that
// began before the question does not answer it; all who ask while one is under
// way share the next. So a thousand partitions that are assigned at once cost
// two listings of their topic.
type Ends struct {
	list func(ctx context.Context, topic string) (kafka.Ends, error)

	mu     sync.Mutex
	topics map[string]*topicEnds
}

// topicEnds are the listings of one topic.
type topicEnds struct {
	turn chan struct{} // holds a token while a listing is under way
	next *round        // guarded by Ends.mu; nil while nobody waits
}

// round is one listing and those who wait for it.
type round struct {
	done chan struct{}
	ends kafka.Ends
	err  error
}

// NewEnds returns an Ends that asks by list.
func NewEnds(list func(ctx context.Context, topic string) (kafka.Ends, error)) *Ends {
	return &Ends{list: list, topics: map[string]*topicEnds{}}
}

// Of lists the stable ends of a topic.
func (e *Ends) Of(ctx context.Context, topic string) (kafka.Ends, error) {
	for {
		t, r, mine := e.join(topic)
		if mine {
			e.run(ctx, topic, t, r)
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return kafka.Ends{}, ctx.Err()
		}
		if errors.Is(r.err, context.Canceled) && ctx.Err() == nil {
			continue // it was the one who listed that was called off
		}
		return r.ends, r.err
	}
}

// join returns the next listing, and whether the caller has to make it.
func (e *Ends) join(topic string) (t *topicEnds, r *round, mine bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t = e.topics[topic]
	if t == nil {
		t = &topicEnds{turn: make(chan struct{}, 1)}
		e.topics[topic] = t
	}
	if t.next == nil {
		t.next, mine = &round{done: make(chan struct{})}, true
	}
	return t, t.next, mine
}

// run makes a listing when the one before it has ended.
func (e *Ends) run(ctx context.Context, topic string, t *topicEnds, r *round) {
	defer close(r.done)
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		r.err = ctx.Err()
	}
	e.mu.Lock()
	t.next = nil
	e.mu.Unlock()
	if r.err == nil {
		r.ends, r.err = e.list(ctx, topic)
	}
}
