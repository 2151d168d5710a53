package e2e

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Rows returns all rows of a view of the test, read straight from Redis as any
// client would.
func (e *Env) Rows(view string, version int) map[string]map[string]string {
	e.t.Helper()
	prefix := fmt.Sprintf("%s{%s.%d}:r:", e.Prefix, view, version)
	rows := map[string]map[string]string{}
	keys := e.keys(prefix)
	for len(keys) > 0 {
		n := min(len(keys), 1000)
		e.rows(rows, prefix, keys[:n])
		keys = keys[n:]
	}
	return rows
}

// keys returns all keys with the prefix.
func (e *Env) keys(prefix string) []string {
	e.t.Helper()
	ctx := e.context()
	var keys []string
	scan := e.Redis.Scan(ctx, 0, escapeGlob(prefix)+"*", 5000).Iterator()
	for scan.Next(ctx) {
		keys = append(keys, scan.Val())
	}
	if err := scan.Err(); err != nil {
		e.t.Fatalf("reading the keys %s*: %v", prefix, err)
	}
	return keys
}

func (e *Env) rows(rows map[string]map[string]string, prefix string, keys []string) {
	e.t.Helper()
	ctx := e.context()
	pipe := e.Redis.Pipeline()
	for _, key := range keys {
		pipe.HGetAll(ctx, key)
	}
	answers, err := pipe.Exec(ctx)
	if err != nil {
		e.t.Fatalf("reading rows: %v", err)
	}
	for i, answer := range answers {
		rows[strings.TrimPrefix(keys[i], prefix)] = answer.(interface{ Val() map[string]string }).Val()
	}
}

// Positions returns the positions of a view of the test, by topic/partition.
func (e *Env) Positions(view string, version int) map[string]string {
	e.t.Helper()
	positions, err := e.Redis.HGetAll(e.context(), fmt.Sprintf("%s{%s.%d}:m:pos", e.Prefix, view, version)).Result()
	if err != nil {
		e.t.Fatalf("reading the positions of view %s: %v", view, err)
	}
	return positions
}

// WaitCaughtUp waits until the positions of the views are where a read-committed
// reader of the topic can read no further.
func (e *Env) WaitCaughtUp(timeout time.Duration, topic string, views ...string) {
	e.t.Helper()
	ends, err := e.Admin.ListCommittedOffsets(e.context(), topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		e.t.Fatalf("listing the end of topic %s: %v", topic, err)
	}
	want := map[string]string{}
	ends.Each(func(o kadm.ListedOffset) {
		want[fmt.Sprintf("%s/%d", topic, o.Partition)] = strconv.FormatInt(o.Offset, 10)
	})
	Poll(e.t, timeout, func() (bool, string) {
		for _, view := range views {
			if got := e.Positions(view, 1); !maps.Equal(got, want) {
				return false, fmt.Sprintf("view %s is at %v, want %v", view, got, want)
			}
		}
		return true, ""
	})
}

// escapeGlob makes a pattern of SCAN that stands for the text itself.
func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}
