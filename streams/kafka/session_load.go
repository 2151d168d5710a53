package kafka

import (
	"context"
	"fmt"

	"github.com/millrace/millrace/streams"
)

// Load hands every committed record of the partition to fn, in order, from its
// start to the end that was listed when the session was opened. It ends there
// whatever the log has at its end: markers, aborted records, holes. An error of
// fn ends it and is returned as it is. A record and its bytes are valid as long
// as somebody holds them.
//
// The session is as usable after an error as before.
func (s *Session) Load(ctx context.Context, fn func(streams.Record) error) error {
	if s.closed {
		return fmt.Errorf("loading %s: %w", s.partition, ErrSessionClosed)
	}
	r := &scan{client: s.client, partition: s.partition, position: s.start, end: s.end, fn: fn}
	err := r.run(ctx)
	if r.fnErr != nil || err == nil {
		return r.fnErr
	}
	return fmt.Errorf("loading %s at position %d: %w", s.partition, r.position, refusal(err))
}
