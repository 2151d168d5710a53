package compaction

import (
	"slices"
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

// TestTopicsThatCollide: no fold reads what another one writes.
func TestTopicsThatCollide(t *testing.T) {
	const rest = "\n  on_error: stop\n  state: Order\n  on: {Paid: {add: {payments: 1}}}\n"
	const (
		events    = "topic carts has the events that fold a reads, which snapshots cannot stand among; name another topic by to:"
		snapshots = "topic carts has the snapshots of fold a, which are no events; name a topic of events, or give fold a another one by to:"
	)
	tests := []struct {
		a, b string
		want []string
	}{
		{"topic: orders", "topic: carts", nil},
		{"topic: carts", "topic: carts\n  to: orders", nil},
		{"topic: orders\n  to: carts", "topic: carts", []string{"7:9: " + snapshots}},
		{"topic: carts", "topic: orders\n  to: carts", []string{"6:9: " + events}},
		{"topic: orders", "topic: orders.snapshots", []string{"6:9: " + strings.ReplaceAll(snapshots, "carts", "orders.snapshots")}},
		{"topic: orders\n  to: carts", "topic: carts\n  to: orders", []string{"7:9: " + strings.ReplaceAll(events, "carts", "orders"), "7:9: " + snapshots}},
	}
	for _, tt := range tests {
		var folds []yaml.Node
		text := "- name: a\n  " + tt.a + rest + "- name: b\n  " + tt.b + rest
		if err := yaml.Unmarshal([]byte(text), &folds); err != nil {
			t.Fatal(err)
		}
		var got []string
		_, problems := Config{Snapshots: folds}.Compile(newCodec(t), nil, nil)
		for _, p := range problems {
			got = append(got, p.Error())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", text, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}
