package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// The floors of the measurements of snapshots.
const (
	floorResync  = 6    // times as fast as folding all events
	floorRate    = 0.25 // of the drain, in snapshots
	floorMemory  = 500  // MiB
	floorView    = 3    // times sooner than by replay
	floorCompact = 0.10 // of the drain, where nearly every event changes another stream
	floorZipf    = 0.25
)

// snapshots measures the compactor, resync, and a view from snapshots.
func snapshots(ctx context.Context, s settings) error {
	many, busy, rows := fmt.Sprintf("bench-many-%d", s.events), fmt.Sprintf("bench-busy-%d", s.events), fmt.Sprintf("bench-rows-%d", s.events)
	for _, t := range []struct {
		name            string
		events, streams int
		zipf            bool
	}{{many, 2 * s.events, s.events / 5, false}, {busy, s.events, s.events / 5, true}, {rows, 4 * s.events, s.events / 10, false}} {
		var g generated
		err := child(ctx, &g, nil, "generate", "--topic", t.name, "--events", strconv.Itoa(t.events),
			"--streams", strconv.Itoa(t.streams), "--zipf="+strconv.FormatBool(t.zipf))
		if err != nil {
			return err
		}
		fmt.Printf("topic %s: %d events of %d streams, written in %.0f s\n", t.name, g.Events, t.streams, g.Seconds)
	}
	m := measured{}
	for round := range s.rounds {
		if err := m.compactors(ctx, map[string]string{"nearly every event another stream": many, "Zipf": busy}); err != nil {
			return err
		}
		if err := m.resync(ctx, many); err != nil {
			return err
		}
		fmt.Printf("round %d of %d\n", round+1, s.rounds)
	}
	if err := m.view(ctx, rows, s.rounds); err != nil {
		return err
	}
	m.print()
	return nil
}

// measured is what was measured, by name, once each round.
type measured map[string][]float64

func (m measured) add(name string, value float64) {
	m[name] = append(m[name], value)
	fmt.Printf("  %s: %.2f\n", name, value)
}

// compactors measures how fast snapshots are taken, and how many are written.
func (m measured) compactors(ctx context.Context, topics map[string]string) error {
	for what, topic := range topics {
		var d rate
		if err := child(ctx, &d, nil, "drain", "--topic", topic); err != nil {
			return err
		}
		if err := drop(ctx, topic+".snapshots"); err != nil {
			return err
		}
		var c compacted
		if err := child(ctx, &c, nil, "compact", "--topic", topic); err != nil {
			return err
		}
		m.add("drain of "+topic+", events/s", d.perSecond())
		m.add("compactor, "+what+": events/s", c.perSecond())
		m.add("compactor, "+what+": share of the drain", c.perSecond()/d.perSecond())
		m.add("compactor, "+what+": records written per event", c.Snapshots/float64(c.Events))
		m.add("compactor, "+what+": peak MiB", float64(c.RSS))
	}
	return nil
}

// resync measures loading against folding all events.
func (m measured) resync(ctx context.Context, topic string) error {
	var d rate
	if err := child(ctx, &d, nil, "drain", "--topic", topic); err != nil {
		return err
	}
	var cleaned, loaded, folded stored
	if err := child(ctx, &cleaned, nil, "clean", "--topic", topic); err != nil {
		return err
	}
	if err := child(ctx, &loaded, nil, "resync", "--topic", topic); err != nil {
		return err
	}
	if err := child(ctx, &folded, nil, "refold", "--topic", topic); err != nil {
		return err
	}
	m.add("resync: streams", float64(loaded.Streams))
	m.add("resync: records read per stream", float64(loaded.Records)/float64(loaded.Streams))
	m.add("resync: snapshots/s", float64(loaded.Records)/loaded.Seconds)
	m.add("resync: share of the drain, in snapshots", float64(loaded.Records)/loaded.Seconds/d.perSecond())
	m.add("resync: times as fast as folding all events", folded.Seconds/loaded.Seconds)
	m.add("resync: peak MiB", float64(loaded.RSS))
	return nil
}

// view measures how much sooner a view from snapshots is hot.
func (m measured) view(ctx context.Context, topic string, rounds int) error {
	var c compacted
	if err := drop(ctx, topic+".snapshots"); err != nil {
		return err
	}
	if err := child(ctx, &c, nil, "compact", "--topic", topic); err != nil {
		return err
	}
	var cleaned stored
	if err := child(ctx, &cleaned, nil, "clean", "--topic", topic); err != nil {
		return err
	}
	for range rounds {
		var replayed, loaded rate
		if err := child(ctx, &replayed, nil, "project", "--file", "snapshots.yaml", "--topic", topic, "--view", "replayed"); err != nil {
			return err
		}
		if err := child(ctx, &loaded, nil, "project", "--file", "snapshots.yaml", "--topic", topic, "--view", "loaded"); err != nil {
			return err
		}
		m.add("view by replay: seconds", replayed.Seconds)
		m.add("view from snapshots: seconds", loaded.Seconds)
		m.add("view from snapshots: times sooner", replayed.Seconds/loaded.Seconds)
	}
	return nil
}

// print prints medians beside the floors.
func (m measured) print() {
	floors := map[string]string{
		"compactor, nearly every event another stream: share of the drain": fmt.Sprint(floorCompact),
		"compactor, Zipf: share of the drain":                              fmt.Sprint(floorZipf),
		"resync: share of the drain, in snapshots":                         fmt.Sprint(floorRate),
		"resync: times as fast as folding all events":                      fmt.Sprint(floorResync),
		"resync: peak MiB":                  fmt.Sprintf("at most %d", floorMemory),
		"view from snapshots: times sooner": fmt.Sprint(floorView),
	}
	fmt.Print("\n| measured | median | floor |\n|---|---|---|\n")
	for _, name := range sorted(m) {
		fmt.Printf("| %s | %.2f | %s |\n", name, median(m[name]), floors[name])
	}
}

// drop deletes a topic, if it is there, and waits until it is gone.
func drop(ctx context.Context, topic string) error {
	c, err := client()
	if err != nil {
		return err
	}
	defer c.Close()
	admin := kadm.NewClient(c)
	for {
		if _, err := admin.DeleteTopics(ctx, topic); err != nil {
			return err
		}
		listed, err := admin.ListTopics(ctx)
		if err != nil || !listed.Has(topic) {
			return err
		}
		time.Sleep(200 * time.Millisecond)
	}
}
