package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/devcluster"
)

// Where the embedded servers listen and how many partitions topics get, unless
// said otherwise.
const (
	defaultKafka  = "127.0.0.1:9092"
	defaultRedis  = "127.0.0.1:6379"
	devPartitions = 12
)

// dev is what the flags of the command say.
type dev struct {
	config     string
	cluster    devcluster.Options
	partitions int
}

func devCommand() *command {
	var d dev
	return &command{
		name: "dev", short: "Run Kafka, Redis and the workers in one process", max: 0,
		long: `Starts a Kafka and a Redis inside this process and the workers that FILE
configures, for trying and developing: nothing of it is made for production.
Other programs can use both: the projector, kcat, redis-cli. Stops on Ctrl-C.
What FILE says about the addresses of Kafka and Redis is not used. Where there
is no FILE, or it has no views and no folds, it is a Kafka and a Redis and nothing
else.

With --data the events are kept; views and snapshots are built anew from them at
each start.

Example:
  millrace dev -f shop.yaml
  millrace import --config shop.yaml --topic orders orders.jsonl     (in another shell)
  millrace view list --config shop.yaml orders-by-status
`,
		flags: func(f *flag.FlagSet) {
			configFlag(f, &d.config)
			f.StringVar(&d.config, "f", d.config, "the same as --config `FILE`")
			f.Lookup("f").DefValue = ""
			f.StringVar(&d.cluster.KafkaAddr, "kafka", defaultKafka, "where Kafka listens, `ADDR`; :0 takes any free port")
			f.StringVar(&d.cluster.RedisAddr, "redis", defaultRedis, "where Redis listens, `ADDR`; :0 takes any free port")
			f.StringVar(&d.cluster.DataDir, "data", "", "keep Kafka's data in `DIR`; in memory unless said otherwise")
			f.IntVar(&d.partitions, "partitions", devPartitions, "`N` partitions of topics that are made")
		},
		run: func(ctx context.Context, s *shell, _ []string) error { return d.run(ctx, s) },
	}
}

func (d *dev) run(ctx context.Context, s *shell) error {
	if err := checkPartitions(d.partitions, 1); err != nil {
		return err
	}
	w, err := d.load(ctx)
	if err != nil {
		return err
	}
	c, err := startCluster(ctx, w, d.cluster, int32(d.partitions))
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "millrace dev: Kafka on %s, Redis on %s, in this process: for trying and developing, not for production\n",
		c.KafkaAddr(), c.RedisAddr())
	err = d.work(ctx, s, w)
	if closed := c.Close(); err != nil || closed != nil {
		return errors.Join(err, closed)
	}
	fmt.Fprintf(s.err, "millrace dev: stopped; %s\n", cmp.Or(kept(d.cluster.DataDir), "events and rows were in memory and are gone"))
	return nil
}

// load reads the configuration. Nobody needs one for a Kafka and a Redis alone.
func (d *dev) load(ctx context.Context) (*whole, error) {
	var w whole
	err := w.load(ctx, d.config)
	var file *compose.FileError
	if d.config == defaultConfig && errors.As(err, &file) && file.Missing {
		return &w, nil
	}
	return &w, err
}

// work runs the workers, if there are any, until ctx ends.
func (d *dev) work(ctx context.Context, s *shell, w *whole) error {
	what := w.what()
	if what == "" {
		fmt.Fprintf(s.err, "millrace dev: without views, since %s has none or is not there; -f FILE runs those of a file. Ctrl-C ends it\n", d.config)
		<-ctx.Done()
		return nil
	}
	return runWorkers(ctx, s, w, func(ctx context.Context) error {
		fmt.Fprintf(s.err, "millrace dev: %s; Ctrl-C ends it\n", what)
		<-ctx.Done()
		return nil
	})
}

// what says what runs once it is built; empty where nothing runs.
func (w *whole) what() string {
	var all []string
	if len(w.Views) > 0 {
		all = append(all, "the views are hot and follow their topics")
	}
	if len(w.compactor.Folds) > 0 {
		all = append(all, "the snapshots are kept")
	}
	return strings.Join(all, ", ")
}

func kept(folder string) string {
	if folder == "" {
		return ""
	}
	return "the events are kept in " + folder
}

// startCluster starts Kafka and Redis with the topics of the configuration and
// makes the configuration use them.
func startCluster(ctx context.Context, w *whole, o devcluster.Options, partitions int32) (*devcluster.Cluster, error) {
	o.Topics = map[string]int32{}
	for name := range w.Topics {
		o.Topics[name] = partitions
	}
	for _, v := range w.Views {
		for _, name := range v.Topics {
			o.Topics[name] = partitions
		}
	}
	for _, f := range w.compactor.Folds {
		o.Topics[f.Topic] = partitions
		o.Fresh = append(o.Fresh, f.Snapshots) // as views are, whatever their rules were
	}
	c, err := devcluster.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	w.Kafka.Brokers, w.Redis.Addr = []string{c.KafkaAddr()}, c.RedisAddr()
	w.compactor.Kafka = w.Kafka
	// after a kill the embedded Kafka does not know for sure what was under way
	w.compactor.Kafka.Prefix = w.Kafka.WithDefaults().Prefix + "." + strconv.FormatInt(time.Now().UnixNano(), 36)
	return c, nil
}
