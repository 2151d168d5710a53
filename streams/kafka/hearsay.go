package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// hearsay is how long a broker may not know a topic that is there: another one
// has created it just now, or this one has only just started.
const hearsay = 10 * time.Second

// patiently asks about a topic that is there, again and again where the answer is
// that there is none. If that stays the answer it counts.
func patiently[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	deadline := time.Now().Add(hearsay)
	for tries := 1; ; tries++ {
		answer, err := ask()
		if !errors.Is(err, ErrNoTopic) || time.Now().After(deadline) {
			return answer, err
		}
		if err := sleep(ctx, backoff(tries)); err != nil {
			return answer, fmt.Errorf("waiting for a broker that knows the topic: %w", err)
		}
	}
}

// about asks about topics, patiently where this admin knows that they are there.
func about[T any](ctx context.Context, a *Admin, topics []string, ask func() (T, error)) (T, error) {
	answer, err := ask()
	if !errors.Is(err, ErrNoTopic) || !a.knows(topics) {
		return answer, err
	}
	if answer, err = patiently(ctx, ask); errors.Is(err, ErrNoTopic) {
		a.forget(topics)
	}
	return answer, err
}

// knows says whether all of these topics were there when they were asked for last.
func (a *Admin) knows(topics []string) bool {
	for _, name := range topics {
		if _, ok := a.known.Load(name); !ok {
			return false
		}
	}
	return true
}

func (a *Admin) forget(topics []string) {
	for _, name := range topics {
		a.known.Delete(name)
	}
}
