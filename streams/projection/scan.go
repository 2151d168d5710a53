package projection

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// scanCount is how many keys Redis looks at in one step of a scan.
const scanCount = 1000

// errEnough ends a scan early.
var errEnough = errors.New("enough")

// scan calls visit for every key that matches, for some of them more than once.
func scan(ctx context.Context, client redis.UniversalClient, pattern string, visit func(key string) error) error {
	for cursor := uint64(0); ; {
		keys, next, err := client.Scan(ctx, cursor, pattern, scanCount).Result()
		if err != nil {
			return err
		}
		for _, key := range keys {
			switch err := visit(key); {
			case errors.Is(err, errEnough):
				return nil
			case err != nil:
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// globOf returns the pattern that matches s and nothing else.
func globOf(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}
