package projection

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/streams"
)

// Bookkeeping is what stands beside the rows of a view version, all of one
// moment. Maps have no entry for a partition that has none.
type Bookkeeping struct {
	// Definition is nil where there is none.
	Definition *Definition
	Positions  map[streams.Partition]Position
	Epochs     map[streams.Partition]int64
	// Marks are the positions that must be reached to be hot.
	Marks map[streams.Partition]int64
	// Seen is when an owner last said that it lives.
	Seen map[streams.Partition]time.Time
	// Rows is how many there are.
	Rows int64
}

// Bookkeeping reads what stands beside the rows.
func (s *Store) Bookkeeping(ctx context.Context) (Bookkeeping, error) {
	return readBookkeeping(ctx, s.client, s.id)
}

func readBookkeeping(ctx context.Context, client redis.UniversalClient, id ViewID) (Bookkeeping, error) {
	tx := client.TxPipeline()
	definition := tx.HGetAll(ctx, id.key(keyDefinition))
	positions := tx.HGetAll(ctx, id.key(keyPositions))
	epochs := tx.HGetAll(ctx, id.key(keyEpochs))
	marks := tx.HGetAll(ctx, id.key(keyMarks))
	seen := tx.HGetAll(ctx, id.key(keySeen))
	rows := tx.Get(ctx, id.key(keyRows))
	if commands, err := tx.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return Bookkeeping{}, fmt.Errorf("view %s: reading its bookkeeping: %w", id, discarded(commands, err))
	}
	r := reading{id: id}
	b := Bookkeeping{
		Positions: texts(&r, keyPositions, positions.Val(), parsePosition),
		Epochs:    texts(&r, keyEpochs, epochs.Val(), parseNumber),
		Marks:     texts(&r, keyMarks, marks.Val(), parseNumber),
		Seen:      texts(&r, keySeen, seen.Val(), parseSeen),
		Rows:      r.rows(rows.Val()),
	}
	if h := definition.Val(); len(h) > 0 {
		d, err := parseDefinition(h)
		r.failed(keyDefinition, err)
		b.Definition = &d
	}
	return b, r.err
}

// discarded is why a transaction failed. Of one that it discards Redis says why
// with the first command that it refused, and not always again at the end.
func discarded(commands []redis.Cmder, err error) error {
	for _, c := range commands {
		if c.Err() != nil && !errors.Is(c.Err(), redis.Nil) {
			return c.Err()
		}
	}
	return err
}

// reading keeps the first error of reading a view version's bookkeeping.
type reading struct {
	id  ViewID
	err error
}

func (r *reading) failed(key string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("view %s: reading %s: %w", r.id, key, err)
	}
}

// texts reads the values of a hash by partition.
func texts[T any](r *reading, key string, h map[string]string, parse func(string) (T, error)) map[streams.Partition]T {
	m := make(map[streams.Partition]T, len(h))
	for field, value := range h {
		p, err := parsePartition(field)
		r.failed(key, err)
		m[p], err = parse(value)
		r.failed(key, err)
	}
	return m
}

func parseSeen(s string) (time.Time, error) { return time.Parse(time.RFC3339Nano, s) }

func (r *reading) rows(s string) int64 {
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	r.failed(keyRows, err)
	return n
}
