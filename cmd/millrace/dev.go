package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/devcluster"
	"github.com/millrace/millrace/internal/progress"
	"github.com/millrace/millrace/streams/projection"
)

const devPartitions = 12

func devCommand() *command {
	var file string
	o := devcluster.Options{}
	var partitions int
	return &command{
		name: "dev", short: "Run Kafka, Redis and the workers in one process", max: 0,
		long: `Starts a Kafka and a Redis inside this process and the workers that FILE
configures, for trying and developing: nothing of it is made for production.
Other programs can use both: the projector, kcat, redis-cli. Without a FILE and
a millrace.yaml there are no workers, only Kafka and Redis. Stops on Ctrl-C.

With --data the events are kept; views are built anew from them at each start.

Example:
  millrace dev -f fines.yaml
  millrace import --config fines.yaml --topic fines fines.jsonl.gz   (in another shell)
`,
		flags: func(f *flag.FlagSet) {
			f.StringVar(&file, "f", "", "the configuration `FILE`; millrace.yaml unless said otherwise, if it is there")
			f.StringVar(&o.KafkaAddr, "kafka", "127.0.0.1:9092", "where Kafka listens, `ADDR`")
			f.StringVar(&o.RedisAddr, "redis", "127.0.0.1:6379", "where Redis listens, `ADDR`")
			f.StringVar(&o.DataDir, "data", "", "keep Kafka's data in `DIR`; in memory unless said otherwise")
			f.IntVar(&partitions, "partitions", devPartitions, "`N` partitions of topics that are made")
		},
		run: func(ctx context.Context, s *shell, _ []string) error {
			var p compose.Projector
			if file = devFile(file); file != "" {
				if err := p.Load(ctx, file); err != nil {
					return err
				}
			}
			c, err := startCluster(ctx, &p, o, int32(partitions))
			if err != nil {
				return err
			}
			fmt.Fprintf(s.err, "millrace dev: Kafka on %s, Redis on %s, in this process: for trying and developing, not for production\n",
				c.KafkaAddr(), c.RedisAddr())
			if len(p.Views) == 0 {
				<-ctx.Done()
				return c.Close()
			}
			return errors.Join(runViews(ctx, s, &p, nil), c.Close())
		},
	}
}

// devFile is the configuration that is read: the one that was named, or the
// usual one where there is one.
func devFile(named string) string {
	const usual = "millrace.yaml"
	if _, err := os.Stat(usual); named == "" && err == nil {
		return usual
	}
	return named
}

// startCluster starts Kafka and Redis with the topics of the configuration and
// makes the configuration use them.
func startCluster(ctx context.Context, p *compose.Projector, o devcluster.Options, partitions int32) (*devcluster.Cluster, error) {
	o.Topics = map[string]int32{}
	for name := range p.Topics {
		o.Topics[name] = partitions
	}
	for _, v := range p.Views {
		for _, name := range v.Topics {
			o.Topics[name] = partitions
		}
	}
	c, err := devcluster.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	p.Kafka.Brokers, p.Redis.Addr = []string{c.KafkaAddr()}, c.RedisAddr()
	return c, nil
}

// runViews runs the views until ctx ends, with progress while they are cold.
// whenHot is called once, when all of them are hot; its error ends the run.
func runViews(ctx context.Context, s *shell, p *compose.Projector, whenHot func(context.Context) error) error {
	// what a production cluster is warned of is how this one is made
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelError}))
	projector, closeRedis, err := p.New(projection.Options{Logger: log})
	if err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return projector.Run(ctx) })
	work.Go(func() error {
		if err := showViews(ctx, s, p, projector); err != nil {
			return ended(ctx, err)
		}
		if whenHot == nil {
			return nil
		}
		return whenHot(ctx)
	})
	return errors.Join(work.Wait(), closeRedis())
}

// showViews shows how far the views are until all of them are hot.
func showViews(ctx context.Context, s *shell, p *compose.Projector, projector *projection.Projector) error {
	display := progress.New(s.err)
	defer display.Close()
	for {
		hot := 0
		for _, v := range p.Views {
			done, total, note, isHot := viewProgress(v, projector.Progress())
			if isHot {
				hot++
				total = max(total, 1)
				done, note = total, "hot"
			} else if total > 0 {
				done = min(done, total-1) // the bar is full when the view is hot
			}
			if total > 0 {
				display.Set(v.Name, done, total, note)
			}
		}
		if hot == len(p.Views) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// viewProgress adds up the partitions of a view.
func viewProgress(v *projection.View, all []projection.Progress) (done, total int64, note string, hot bool) {
	hot = true
	var rate float64
	for _, p := range all {
		if p.View != v.Name {
			continue
		}
		done += p.Position
		total += p.Stable
		rate += p.Rate
		hot = hot && p.Hot
		if p.Err != nil {
			return done, total, "stopped: " + p.Err.Error(), false
		}
	}
	note = fmt.Sprintf("%d of %d", done, total)
	if rate > 0 {
		left := time.Duration(float64(max(0, total-done)) / rate * float64(time.Second))
		note += fmt.Sprintf(", %.0f/s, %s left", rate, left.Round(time.Second))
	}
	return done, total, note, hot && total+done >= 0 && len(all) > 0
}

// ended is nil where it was ctx that ended the work.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
