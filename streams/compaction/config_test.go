package compaction

import (
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

func TestConfigIsChecked(t *testing.T) {
	some := Config{Snapshots: make([]yaml.Node, 1)}
	if err := some.WithDefaults().Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	for want, change := range map[string]func(*Config){
		"snapshots is empty":                          func(c *Config) { c.Snapshots = nil },
		"flush_streams is -1; it must be at least 1":  func(c *Config) { c.FlushStreams = -1 },
		"flush_bytes is 1KiB; it must be at least 1M": func(c *Config) { c.FlushBytes = streams.KiB },
		"flush_bytes is 1GiB; it must be at most 256": func(c *Config) { c.FlushBytes = streams.GiB },
		"flush_interval is -1s; it must not be":       func(c *Config) { c.FlushInterval = -time.Second },
	} {
		c := some
		change(&c)
		if err := c.WithDefaults().Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
