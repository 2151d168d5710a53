package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// goal is a workload and the share of the drain that it must reach.
type goal struct {
	name, topic, view string
	env               []string
	floor             float64 // 0: reported only
}

var errNotEmpty = errors.New("the Redis at MILLRACE_REDIS is not empty, and this command empties it: give it one of its own, as make bench does")

// bench measures views and prints what came of it.
func bench(ctx context.Context, s settings) error {
	large, small, wide := fmt.Sprintf("bench-%d", s.events), fmt.Sprintf("bench-%d", s.events/10), fmt.Sprintf("bench-wide-%d", s.events)
	topics := []struct {
		name            string
		events, streams int
	}{{large, s.events, s.streams}, {small, s.events / 10, s.streams}, {wide, s.events, 10 * s.streams}}
	for _, t := range topics {
		if t.name == wide && s.quick {
			continue
		}
		var g generated
		if err := child(ctx, &g, nil, "generate", "--topic", t.name, "--events", strconv.Itoa(t.events), "--streams", strconv.Itoa(t.streams)); err != nil {
			return err
		}
		fmt.Printf("topic %s: %d events, %.0f bytes each, written in %.0f s\n", t.name, g.Events, g.Bytes, g.Seconds)
	}
	goals := []goal{
		{"count and sum, 1,000 rows", large, "by-city", nil, 0.60},
		{"count, sum, max, latest, Zipf", large, "by-customer", nil, 0.15},
		{"5 set fields per stream, cold", large, "order", nil, 0.18},
		{"5 set fields per stream, hot batches", large, "order", []string{"BENCH_COLD_BATCH_MAX_OPS=2000"}, 0.08},
		{"count and sum, a tenth of the events", small, "by-city", nil, 0},
	}
	if !s.quick {
		goals = append(goals, goal{"5 set fields, 1 M streams, batches of 200,000", wide, "order", []string{"BENCH_COLD_BATCH_MAX_OPS=200000"}, 0})
	}
	if err := compare(ctx, s.rounds, goals); err != nil {
		return err
	}
	return others(ctx, large)
}

// compare measures the goals and the drain of their topics in turn, and prints
// medians.
func compare(ctx context.Context, rounds int, goals []goal) error {
	rates, shares, seconds := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for round := range rounds {
		drained := map[string]float64{}
		for _, g := range goals {
			if drained[g.topic] == 0 {
				var d rate
				if err := child(ctx, &d, nil, "drain", "--topic", g.topic); err != nil {
					return err
				}
				drained[g.topic] = d.perSecond()
				rates["drain "+g.topic] = append(rates["drain "+g.topic], d.perSecond())
			}
			var r rate
			if err := child(ctx, &r, g.env, "project", "--topic", g.topic, "--view", g.view); err != nil {
				return err
			}
			rates[g.name] = append(rates[g.name], r.perSecond())
			shares[g.name] = append(shares[g.name], r.perSecond()/drained[g.topic])
			seconds[g.name] = append(seconds[g.name], r.Seconds)
			fmt.Printf("round %d: %s: %.0f events/s, %.2f of the drain (%.0f), peak %d MiB\n", round+1, g.name, r.perSecond(), r.perSecond()/drained[g.topic], drained[g.topic], r.RSS)
		}
	}
	fmt.Print("\n| workload | events/s | share of the drain | floor |\n|---|---|---|---|\n")
	for _, g := range goals {
		fmt.Printf("| %s | %.0f | %.2f | %s |\n", g.name, median(rates[g.name]), median(shares[g.name]), floor(g.floor))
	}
	for name, r := range rates {
		if len(name) > 6 && name[:6] == "drain " {
			fmt.Printf("| %s | %.0f | 1 | |\n", name, median(r))
		}
	}
	fmt.Printf("\nall events take %.1f times as long as a tenth of them\n", median(seconds[goals[0].name])/median(seconds[goals[4].name]))
	return nil
}

func floor(f float64) string {
	if f == 0 {
		return "reported"
	}
	return fmt.Sprintf("%.2f", f)
}

// others measures memory and latency.
func others(ctx context.Context, topic string) error {
	var r rate
	if err := child(ctx, &r, nil, "project", "--topic", topic, "--view", "all", "--rest", "20s"); err != nil {
		return err
	}
	fmt.Printf("three views at once: %.0f events/s each, peak %d MiB cold, %d MiB hot\n", r.perSecond(), r.RSS, r.HotRSS)
	var w waited
	if err := child(ctx, &w, nil, "latency"); err != nil {
		return err
	}
	fmt.Printf("emit to row visible at %d events/s: p50 %.2f ms, p90 %.2f, p99 %.2f, most %.2f (%d samples)\n", w.PerSecond, w.P50, w.P90, w.P99, w.Most, w.Samples)
	return nil
}

// sorted returns the names of what was measured.
func sorted(m measured) []string { return slices.Sorted(maps.Keys(m)) }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// child runs a measurement in a process of its own.
func child(ctx context.Context, result any, env []string, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("measuring %v: %w", args, err)
	}
	return json.Unmarshal(out, result)
}

// checkEmpty refuses a Redis that holds anything.
func checkEmpty(ctx context.Context) error {
	if _, err := brokers(); err != nil {
		return err
	}
	c := redis.NewClient(&redis.Options{Addr: os.Getenv("MILLRACE_REDIS")})
	defer c.Close()
	keys, err := c.DBSize(ctx).Result()
	if err == nil && keys > 0 {
		err = errNotEmpty
	}
	return err
}
