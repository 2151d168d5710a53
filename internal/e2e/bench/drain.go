package main

import (
	"context"
	"flag"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// rate is what a measurement of throughput found.
type rate struct {
	Events  int64
	Seconds float64
	RSS     int64 // the peak, in MiB
	HotRSS  int64 // a while after the view was hot, in MiB
}

func (r rate) perSecond() float64 { return float64(r.Events) / r.Seconds }

// drain reads a topic to its stable end, read committed, with the fetch settings
// of the projector, and looks at nothing.
func drain(ctx context.Context, args []string) (any, error) {
	var topic string
	f := flag.NewFlagSet("drain", flag.ExitOnError)
	f.StringVar(&topic, "topic", "", "")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	begun := time.Now()
	c, err := client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxPartitionBytes(256<<10))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	left, err := ends(ctx, c, topic)
	if err != nil {
		return nil, err
	}
	var r rate
	for len(left) > 0 {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			n := len(p.Records)
			r.Events += int64(n)
			if n > 0 && p.Records[n-1].Offset+1 >= left[p.Partition] {
				delete(left, p.Partition)
			}
		})
	}
	r.Seconds = time.Since(begun).Seconds()
	r.RSS, err = memory("VmHWM:")
	return r, err
}
