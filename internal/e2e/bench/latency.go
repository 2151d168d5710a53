package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/streams"
)

// waited is how long rows took to be visible, in milliseconds, at a steady rate
// of events.
type waited struct {
	PerSecond, Samples  int
	P50, P90, P99, Most float64
}

const perSecond = 10_000

// pollPause is how long a row that is waited for is not looked at again: looking
// all the time takes a core from those who make the row.
const pollPause = 200 * time.Microsecond

// latency emits events at a steady rate and looks, for one in a hundred, how
// long it takes from the call of Produce until another client of Redis sees the
// row.
func latency(ctx context.Context, args []string) (any, error) {
	var lasts time.Duration
	f := flag.NewFlagSet("latency", flag.ExitOnError)
	f.DurationVar(&lasts, "lasts", 20*time.Second, "")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	topic := fmt.Sprintf("bench-latency-%d", time.Now().UnixNano())
	c, err := client(kgo.ProducerLinger(0), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	admin := kadm.NewClient(c)
	forever := "-1"
	if _, err := admin.CreateTopic(ctx, partitions, -1, map[string]*string{"retention.ms": &forever}, topic); err != nil {
		return nil, err
	}
	p, err := start(ctx, "bench.yaml", topic, "order")
	if err != nil {
		return nil, err
	}
	w, err := emit(ctx, c, p, emission{topic, lasts})
	_, deleteErr := admin.DeleteTopic(ctx, topic)
	return w, errors.Join(err, p.close(), deleteErr)
}

type emission struct {
	topic string
	lasts time.Duration
}

func emit(ctx context.Context, c *kgo.Client, p *projected, e emission) (waited, error) {
	prefix, err := framing()
	if err != nil {
		return waited{}, err
	}
	if err := p.hot(ctx); err != nil {
		return waited{}, err
	}
	work, ctx := errgroup.WithContext(ctx)
	var samples []float64
	work.Go(func() error { return steady(ctx, c, e, newGenerator(1, 100_000, prefix)) })
	work.Go(func() (err error) {
		samples, err = probe(ctx, c, p, e, newGenerator(2, 1, prefix))
		return err
	})
	err = work.Wait()
	if err != nil || len(samples) == 0 {
		return waited{}, err
	}
	slices.Sort(samples)
	at := func(share float64) float64 { return samples[int(share*float64(len(samples)-1))] }
	return waited{perSecond, len(samples), at(.5), at(.9), at(.99), at(1)}, nil
}

// steady emits events at the rate.
func steady(ctx context.Context, c *kgo.Client, e emission, g *generator) error {
	begun, sent := time.Now(), 0
	for tick := time.Tick(time.Millisecond); time.Since(begun) < e.lasts; <-tick {
		for due := int(time.Since(begun).Seconds() * perSecond); sent < due; sent++ {
			event, value := g.next()
			c.Produce(ctx, record(e.topic, &event, value), nil)
		}
	}
	return c.Flush(ctx)
}

// probe emits a hundred events a second, each of a stream of its own, and waits
// for their rows. The first second is not counted.
func probe(ctx context.Context, c *kgo.Client, p *projected, e emission, g *generator) (samples []float64, err error) {
	id := p.settings.Views[0].ID(p.settings.Redis.Prefix)
	begun := time.Now()
	for n, tick := 0, time.Tick(10*time.Millisecond); time.Since(begun) < e.lasts; n++ {
		event, value := g.next()
		event.Stream = streams.StreamID(fmt.Sprintf("order-probe-%d", n))
		r := record(e.topic, &event, value)
		sent := time.Now()
		c.Produce(ctx, r, nil)
		for visible := int64(0); visible == 0; time.Sleep(pollPause) {
			if visible, err = p.redis.Exists(ctx, id.RowKey(string(event.Stream))).Result(); err != nil {
				return nil, err
			}
		}
		if took := time.Since(sent); time.Since(begun) > time.Second {
			samples = append(samples, float64(took.Microseconds())/1000)
		}
		<-tick
	}
	return samples, nil
}
