package main

import (
	"context"
	"flag"
	"math/rand"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// generated is what a topic holds.
type generated struct {
	Events  int
	Bytes   float64 // of a value, on average
	Seconds float64
}

// generate fills a topic, unless it is there.
func generate(ctx context.Context, args []string) (any, error) {
	var topic string
	var events, streams int
	var zipf bool
	f := flag.NewFlagSet("generate", flag.ExitOnError)
	f.StringVar(&topic, "topic", "", "")
	f.IntVar(&events, "events", 0, "")
	f.IntVar(&streams, "streams", 0, "")
	f.BoolVar(&zipf, "zipf", false, "")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	c, err := client(kgo.MaxBufferedRecords(50_000), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	forever := "-1"
	made, err := kadm.NewClient(c).CreateTopics(ctx, partitions, -1, map[string]*string{"retention.ms": &forever}, topic)
	if err != nil {
		return nil, err
	}
	if made[topic].Err != nil {
		return generated{Events: events}, nil // it is there from a run before
	}
	prefix, err := framing()
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	g := newGenerator(7, streams, prefix)
	if zipf {
		g.busy = rand.NewZipf(g.random, 1.1, 1, uint64(streams-1))
	}
	size, err := produce(ctx, c, topic, g, events)
	return generated{events, float64(size) / float64(events), time.Since(begun).Seconds()}, err
}

func produce(ctx context.Context, c *kgo.Client, topic string, g *generator, events int) (size int64, err error) {
	var failed atomic.Pointer[error]
	for range events {
		e, value := g.next()
		size += int64(len(value))
		c.Produce(ctx, record(topic, &e, value), func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(&err)
			}
		})
	}
	if err := c.Flush(ctx); err != nil {
		return size, err
	}
	if p := failed.Load(); p != nil {
		return size, *p
	}
	return size, nil
}
