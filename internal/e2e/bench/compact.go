package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/internal/compose/compactor"
	"github.com/millrace/millrace/streams/compaction"
	"github.com/millrace/millrace/streams/worker"
)

// compacted is what a compactor did with a topic.
type compacted struct {
	rate
	Snapshots, Flushes float64
}

// folds are those of snapshots.yaml for the topic that the one flag of
// a measurement names.
func folds(ctx context.Context, measurement string, args []string) (*compactor.Compactor, error) {
	if _, err := brokers(); err != nil {
		return nil, err
	}
	var topic string
	f := flag.NewFlagSet(measurement, flag.ExitOnError)
	f.StringVar(&topic, "topic", "", "")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if err := environment(topic); err != nil {
		return nil, err
	}
	var c compactor.Compactor
	name := filepath.Join(folder(), "snapshots.yaml")
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	file, _ := worker.Load(name, src, c.Blocks(), worker.KnownBlocks()) // file has the problems
	if err := c.Check(ctx, file, true); err != nil {
		return nil, err
	}
	return &c, file.Err()
}

// compact takes snapshots of a topic until the watermarks have reached its end.
func compact(ctx context.Context, args []string) (any, error) {
	begun := time.Now()
	settings, err := folds(ctx, "compact", args)
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	c, err := settings.New(compaction.Options{Metrics: compaction.NewMetrics(registry)})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	for !committed(c) {
		select {
		case err := <-done:
			return nil, fmt.Errorf("the compactor stopped: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	r := compacted{rate: rate{Seconds: time.Since(begun).Seconds()}}
	for _, p := range c.Progress() {
		r.Events += p.Watermark
	}
	if r.RSS, err = memory("VmHWM:"); err != nil {
		return nil, err
	}
	stop()
	err = <-done
	r.Snapshots, r.Flushes = counted(registry, "millrace_compactor_snapshots_written_total"), counted(registry, "millrace_compactor_flushes_total")
	return r, err
}

// committed says that the watermarks of all partitions have reached the end.
func committed(c *compaction.Compactor) bool {
	all := c.Progress()
	for _, p := range all {
		if p.NotReady != "" || p.Watermark < p.Stable {
			return false
		}
	}
	return len(all) == partitions
}

// counted is the sum of a counter.
func counted(registry *prometheus.Registry, name string) (sum float64) {
	families, err := registry.Gather()
	exitOn(err)
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// environment sets what the configurations of this folder name.
func environment(topic string) error {
	return errors.Join(os.Setenv("BENCH_TOPIC", topic), os.Setenv("BENCH_SCHEMAS", filepath.Join(folder(), "schemas")))
}
