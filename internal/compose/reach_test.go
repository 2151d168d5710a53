package compose_test

import (
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/projection"
)

// A Redis that refuses is one that runs, so another setting is to look at.
func TestRedisThatRefuses(t *testing.T) {
	server := miniredis.RunT(t)
	server.RequireAuth("right")
	for password, want := range map[streams.Secret]string{
		"":      "answers and refuses: NOAUTH",
		"wrong": "answers and refuses: WRONGPASS",
		"right": "",
	} {
		client, err := compose.AskRedis(t.Context(), projection.RedisConfig{Addr: server.Addr(), Password: password})
		if want == "" && err == nil {
			client.Close()
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "redis.password") {
			t.Errorf("password %q: %v, want %q", string(password), err, want)
		}
	}
}
