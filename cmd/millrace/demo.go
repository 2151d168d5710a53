package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/millrace/millrace/examples/shop"
	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/devcluster"
	"github.com/millrace/millrace/internal/importer"
	"github.com/millrace/millrace/internal/progress"
	shopevents "github.com/millrace/millrace/internal/shop"
	"github.com/millrace/millrace/schemas"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/projection"
)

// demo is what the flags of the command say.
type demo struct {
	events      int
	seed        uint64
	exitWhenHot bool
	cluster     devcluster.Options
}

func demoCommand() *command {
	var d demo
	return &command{
		name: "demo", short: "Show everything in one process: an online shop and its views", max: 0,
		long: `Starts a Kafka and a Redis inside this process, writes the events of an
invented online shop, builds three views of them and keeps these hot until
Ctrl-C. The views are those of examples/shop/shop.yaml.

Example:
  millrace demo --events 200000
`,
		flags: func(f *flag.FlagSet) {
			f.IntVar(&d.events, "events", 50_000, "`N` events to invent")
			f.Uint64Var(&d.seed, "seed", 1, "`N` that decides what is invented: the same events for the same seed")
			f.BoolVar(&d.exitWhenHot, "exit-when-hot", false, "stop when the views are hot, for scripts")
			f.StringVar(&d.cluster.KafkaAddr, "kafka", "127.0.0.1:9092", "where Kafka listens, `ADDR`; :0 takes any free port")
			f.StringVar(&d.cluster.RedisAddr, "redis", "127.0.0.1:6379", "where Redis listens, `ADDR`; :0 takes any free port")
		},
		run: func(ctx context.Context, s *shell, _ []string) error { return ended(ctx, d.run(ctx, s)) },
	}
}

func (d *demo) run(ctx context.Context, s *shell) error {
	if d.events < 1 {
		return &usageError{"--events must be at least 1"}
	}
	var p compose.Projector
	embedded, err := fs.Sub(schemas.FS, "shop")
	if err != nil {
		return err
	}
	if p.Codec, err = avro.Open(embedded); err != nil {
		return err
	}
	if err := p.LoadSource(ctx, "shop.yaml", []byte(shop.Config())); err != nil {
		return err
	}
	c, err := startCluster(ctx, &p, d.cluster, devPartitions)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "millrace demo: Kafka on %s, Redis on %s, both in this process, for trying only\n", c.KafkaAddr(), c.RedisAddr())
	err = d.write(ctx, s, &p)
	if err == nil {
		err = runViews(ctx, s, &p, func(ctx context.Context) error { return d.hot(ctx, s, &p) })
	}
	if errors.Is(err, errDone) {
		err = nil
	}
	return errors.Join(err, c.Close())
}

// errDone ends the demo in order.
var errDone = errors.New("done")

// write imports the events of the shop, as any file would be.
func (d *demo) write(ctx context.Context, s *shell, p *compose.Projector) error {
	display := progress.New(s.err)
	report, err := importer.Run(ctx, importer.Options{
		Kafka: p.Kafka, Topic: "orders", File: importer.Stdin, Input: shopevents.Lines(d.seed, d.events),
		Encoders: func(eventType string) (importer.Encoder, error) { return p.Codec.Writer(eventType) },
		Source:   "millrace/demo",
		Progress: func(i importer.Progress) {
			display.Set("writing orders", i.Written, int64(d.events), fmt.Sprintf("%d events", i.Written))
		},
	})
	display.Close()
	if err != nil {
		return err
	}
	if !report.OK() {
		return fmt.Errorf("writing the events of the shop: %s", report)
	}
	return nil
}

// hot shows rows and what to try next, then waits.
func (d *demo) hot(ctx context.Context, s *shell, p *compose.Projector) error {
	if err := showRows(ctx, s, p); err != nil {
		return err
	}
	if d.exitWhenHot {
		return errDone
	}
	const config = "--config examples/shop/shop.yaml"
	fmt.Fprintf(s.out, `
The views are hot and follow the topic. Try in another shell:
%[1]s  go run ./cmd/millrace view status %[2]s
%[1]s  go run ./cmd/millrace view get %[2]s order order-1
%[1]s  go run ./cmd/millrace stream show %[2]s --topic orders order-1
%[1]s  redis-cli -p %[3]s hgetall 'millrace:{orders-by-status.1}:r:paid'
%[1]s  kcat -b %[4]s -t orders -C -c 1 -f '%%k %%h\n'

Ctrl-C ends it.
`, environment(p), config, p.Redis.Addr[strings.LastIndexByte(p.Redis.Addr, ':')+1:], p.Kafka.Brokers[0])
	<-ctx.Done()
	return nil
}

// environment tells other commands where the cluster is, if it is elsewhere than
// they expect.
func environment(p *compose.Projector) string {
	if p.Kafka.Brokers[0] == "127.0.0.1:9092" && p.Redis.Addr == "127.0.0.1:6379" {
		return ""
	}
	return fmt.Sprintf("  export MILLRACE_KAFKA=%s MILLRACE_REDIS=%s;", p.Kafka.Brokers[0], p.Redis.Addr)
}

// showRows prints a few rows of each view.
func showRows(ctx context.Context, s *shell, p *compose.Projector) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client, err := projection.OpenRedis(p.Redis)
	if err != nil {
		return err
	}
	defer client.Close()
	for _, v := range p.Views {
		rows, err := projection.ListRows(ctx, client, v.ID(p.Redis.Prefix), 5)
		if err != nil {
			return err
		}
		status, err := projection.ReadStatus(ctx, client, v.ID(p.Redis.Prefix))
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "\n%s: %s, %d rows\n", v.Name, status.State, status.Rows)
		if err := printRows(s.out, rows); err != nil {
			return err
		}
	}
	return nil
}
