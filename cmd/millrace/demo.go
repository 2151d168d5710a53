package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
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

const (
	// shopConfig is where the configuration of the demo lies in the source.
	shopConfig = "examples/shop/shop.yaml"
	// maxDemoWidth keeps the tables of the demo legible.
	maxDemoWidth = 120
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
			f.StringVar(&d.cluster.KafkaAddr, "kafka", "", "where Kafka listens, `ADDR`; "+defaultKafka+" unless said otherwise, and any free port where that is taken")
			f.StringVar(&d.cluster.RedisAddr, "redis", "", "where Redis listens, `ADDR`; "+defaultRedis+" in the same way")
		},
		run: func(ctx context.Context, s *shell, _ []string) error { return d.run(ctx, s) },
	}
}

func (d *demo) run(ctx context.Context, s *shell) error {
	if d.events < 1 {
		return &usageError{"--events must be at least 1"}
	}
	w, err := shopConfiguration(ctx)
	if err != nil {
		return err
	}
	d.cluster.KafkaAddr = s.free("Kafka", d.cluster.KafkaAddr, defaultKafka)
	d.cluster.RedisAddr = s.free("Redis", d.cluster.RedisAddr, defaultRedis)
	c, err := startCluster(ctx, w, d.cluster, devPartitions)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.err, "millrace demo: Kafka on %s, Redis on %s, both in this process, for trying only\n", c.KafkaAddr(), c.RedisAddr())
	p, hot := &w.Projector, false
	err = d.write(ctx, s, p)
	if err == nil {
		err = runWorkers(ctx, s, w, func(ctx context.Context) error {
			hot = true
			return d.hot(ctx, s, p)
		})
	}
	switch {
	case hot && (ctx.Err() != nil || errors.Is(err, errDone)):
		err = nil
	case ctx.Err() != nil:
		err = errInterrupted
	}
	return errors.Join(err, c.Close())
}

// shopConfiguration is that of the example.
func shopConfiguration(ctx context.Context) (*whole, error) {
	var w whole
	embedded, err := fs.Sub(schemas.FS, "shop")
	if err != nil {
		return nil, err
	}
	if w.Codec, err = avro.Open(embedded); err != nil {
		return nil, err
	}
	return &w, w.LoadSource(ctx, shopConfig, []byte(shop.Config()))
}

// free returns the address that was asked for. Where none was it is the usual
// one, or any that is free: somebody who tries the demo may have a Redis.
func (s *shell) free(server, asked, usual string) string {
	if asked != "" {
		return asked
	}
	l, err := net.Listen("tcp", usual)
	if errors.Is(err, syscall.EADDRINUSE) {
		fmt.Fprintf(s.err, "millrace demo: %s is in use, so %s takes another port\n", usual, server)
		return ":0"
	}
	if err == nil {
		_ = l.Close() // the port is taken again at once
	}
	return usual
}

// errDone ends the demo in order.
var errDone = errors.New("done")

// write imports the events of the shop, as any file would be.
func (d *demo) write(ctx context.Context, s *shell, p *compose.Projector) error {
	display := progress.New(s.err)
	report, err := importer.Run(ctx, importer.Options{
		Kafka: p.Kafka, Topic: "orders", File: importer.Stdin, Input: shopevents.Lines(d.seed, d.events),
		Encoders: func(eventType string) (importer.Encoder, error) { return p.Codec.JSONWriter(eventType) },
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
	self := s.self()
	fmt.Fprintf(s.out, "\nThe views are hot and follow the topic. Try in another shell, in this folder:\n")
	for _, line := range []string{
		environment(p),
		self + " view status --config " + shopConfig,
		self + " view get --config " + shopConfig + " order order-1",
		self + " stream show --config " + shopConfig + " --topic orders order-1",
		fmt.Sprintf("redis-cli -p %s hgetall 'millrace:{orders-by-status.1}:r:paid'", portOf(p.Redis.Addr)),
		fmt.Sprintf(`kcat -b %s -t orders -C -c 1 -f '%%k %%h\n'`, p.Kafka.Brokers[0]),
	} {
		if line != "" {
			fmt.Fprintf(s.out, "  %s\n", line)
		}
	}
	fmt.Fprintf(s.out, "\nCtrl-C ends it.\n")
	<-ctx.Done()
	return nil
}

// self is how this command was called, as another shell can call it.
func (s *shell) self() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/millrace"
	}
	return os.Args[0]
}

func portOf(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// environment tells other commands where the cluster is, if it is elsewhere than
// they expect.
func environment(p *compose.Projector) string {
	if p.Kafka.Brokers[0] == defaultKafka && p.Redis.Addr == defaultRedis {
		return ""
	}
	return fmt.Sprintf("export MILLRACE_KAFKA=%s MILLRACE_REDIS=%s", p.Kafka.Brokers[0], p.Redis.Addr)
}

// demoWidth is how wide the tables of the demo may be.
func demoWidth(out io.Writer) int {
	if w := progress.Width(out); w > 0 {
		return min(w, maxDemoWidth)
	}
	return maxDemoWidth
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
	declared, err := viewsByName(p, shopConfig)
	if err != nil {
		return err
	}
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
		if err := printRows(s.out, rows, declared[v.Name].Fields(), demoWidth(s.out)); err != nil {
			return err
		}
	}
	return nil
}
