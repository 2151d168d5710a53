package streams

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	keys := []string{"brokers", "client_id", "instance_id", "tls", "version", "ab"}
	for _, c := range []struct{ name, want string }{
		{"broker", "brokers"},
		{"borkers", "brokers"},
		{"BROKERS", "brokers"},
		{"client-id", "client_id"},
		{"clientid", "client_id"},
		{"tsl", "tls"},
		{"vers", ""}, // three mistakes in four characters
		{"xyz", ""},
		{"", ""},
		{"bä", ""},
		{strings.Repeat("brokers", 1000), ""},
	} {
		if got := Nearest(c.name, keys); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.name, got, c.want)
		}
	}
	if got := Nearest("views", nil); got != "" {
		t.Errorf("Nearest of nothing = %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"abc", "acb", 1}, {"ca", "abc", 3}, {"kitten", "sitting", 3}, {"äö", "öä", 1},
	} {
		if got := distance([]rune(c.a), []rune(c.b)); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
