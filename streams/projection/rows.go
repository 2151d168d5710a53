package projection

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Row is one row of a view, as it stands in Redis: fields whose name ends in @
// are sort keys.
type Row struct {
	Key    string
	Fields map[string]string
}

// GetRow reads a row; nil where there is none.
func GetRow(ctx context.Context, client redis.UniversalClient, id ViewID, key string) (map[string]string, error) {
	fields, err := client.HGetAll(ctx, id.RowKey(key)).Result()
	if err != nil {
		return nil, fmt.Errorf("view %s: reading row %q: %w", id, key, err)
	}
	if len(fields) == 0 {
		return nil, nil
	}
	return fields, nil
}

// ListRows reads rows of a view, at most limit of them, sorted by key. Which
// ones they are where there are more is Redis's choice. Rows that come or go
// meanwhile may be missing.
func ListRows(ctx context.Context, client redis.UniversalClient, id ViewID, limit int) ([]Row, error) {
	prefix := id.RowKey("")
	keys := map[string]bool{}
	err := scan(ctx, client, globOf(prefix)+"*", func(key string) error {
		if len(keys) >= limit {
			return errEnough
		}
		keys[key] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("view %s: listing rows: %w", id, err)
	}
	rows := make([]Row, 0, len(keys))
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		row := Row{Key: strings.TrimPrefix(key, prefix)}
		if row.Fields, err = GetRow(ctx, client, id, row.Key); err != nil {
			return nil, err
		}
		if row.Fields != nil {
			rows = append(rows, row)
		}
	}
	return rows, nil
}
