package devcluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams/kafka"
)

// Options say where the cluster listens and what it begins with.
type Options struct {
	// KafkaAddr is where Kafka listens, host:port; clients are told this
	// address. Without a host: 127.0.0.1. Port 0, and the default: any that is
	// free.
	KafkaAddr string
	// RedisAddr is where Redis listens, in the same form.
	RedisAddr string
	// DataDir is the folder that Kafka's data is kept in, made where it is
	// missing. Default: in memory only.
	DataDir string
	// Topics are to exist: the number of partitions by name. One that is in the
	// data already stays as it is.
	Topics map[string]int32
	// Fresh are topics that are made from others: one that is in the data already
	// is removed.
	Fresh []string
}

// Cluster is a running Kafka and Redis. It is safe for concurrent use.
type Cluster struct {
	kafka *kfake.Cluster
	redis *miniredis.Miniredis
	log   *errorLog
	lock  *os.File // nil without a data folder
	close func() error
}

// Start starts both servers and creates the topics. The cluster runs until
// Close.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{redis: miniredis.NewMiniRedis(), log: new(errorLog)}
	c.close = sync.OnceValue(c.stop)
	if err := c.start(ctx, o); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o Options) error {
	addr, err := listenAddr("--redis", o.RedisAddr)
	if err != nil {
		return err
	}
	if err := c.redis.StartAddr(addr); err != nil {
		return listenError("Redis", "--redis", addr, err)
	}
	if err := c.startKafka(o); err != nil {
		return err
	}
	if err := c.removeTopics(ctx, o.Fresh); err != nil {
		return err
	}
	return c.createTopics(ctx, o.Topics)
}

func (c *Cluster) startKafka(o Options) error {
	addr, err := listenAddr("--kafka", o.KafkaAddr)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return listenError("Kafka", "--kafka", addr, err)
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return listener, nil }),
		kfake.WithLogger(c.log),
		kfake.ClusterID("millrace-dev"),
		// topics that other programs make have no setting of their own
		kfake.BrokerConfigs(map[string]string{"log.retention.ms": "-1"}),
	}
	if o.DataDir != "" {
		if c.lock, err = lockFolder(o.DataDir); err != nil {
			listener.Close()
			return err
		}
		opts = append(opts, kfake.DataDir(filepath.Join(o.DataDir, "kafka")))
	}
	c.kafka, err = kfake.NewCluster(opts...)
	if err != nil {
		listener.Close()
		return fmt.Errorf("starting Kafka with the data in %q: %w; choose another folder, or remove this one to begin anew", o.DataDir, err)
	}
	return nil
}

func (c *Cluster) removeTopics(ctx context.Context, topics []string) error {
	if len(topics) == 0 {
		return nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.KafkaAddr()))
	if err != nil {
		return fmt.Errorf("connecting to the embedded Kafka: %w", err)
	}
	defer client.Close()
	removed, err := kadm.NewClient(client).DeleteTopics(ctx, topics...)
	if err != nil {
		return fmt.Errorf("removing topics that are made anew: %w", err)
	}
	for _, r := range removed {
		if r.Err != nil && !errors.Is(r.Err, kerr.UnknownTopicOrPartition) {
			return fmt.Errorf("removing topic %s, which is made anew: %w", r.Topic, r.Err)
		}
	}
	return nil
}

func (c *Cluster) createTopics(ctx context.Context, topics map[string]int32) error {
	admin, err := kafka.NewAdmin(kafka.Config{Brokers: []string{c.KafkaAddr()}})
	if err != nil {
		return fmt.Errorf("connecting to the embedded Kafka: %w", err)
	}
	defer admin.Close()
	for topic, partitions := range topics {
		if err := createTopic(ctx, admin, kafka.TopicSpec{Name: topic, Partitions: partitions}); err != nil {
			return fmt.Errorf("starting the embedded Kafka: %w", err)
		}
	}
	return nil
}

// createTopic creates a topic. One that is there, from an earlier start or by
// a client of the first moment, stays as it is.
func createTopic(ctx context.Context, admin *kafka.Admin, spec kafka.TopicSpec) error {
	err := admin.CreateTopic(ctx, spec)
	if err == nil {
		return nil
	}
	if _, missing := admin.Topics(ctx, spec.Name); missing != nil {
		return err
	}
	return nil // it is there, in another form than this one
}

// KafkaAddr is where Kafka listens, host:port.
func (c *Cluster) KafkaAddr() string { return c.kafka.ListenAddrs()[0] }

// RedisAddr is where Redis listens, host:port.
func (c *Cluster) RedisAddr() string { return c.redis.Addr() }

// Close stops both servers and, with a data folder, writes what must be kept.
// Stop the clients first: an open transaction is aborted at the next start. A
// second call returns what the first did.
func (c *Cluster) Close() error { return c.close() }

func (c *Cluster) stop() error {
	if c.kafka != nil {
		c.kafka.Close()
	}
	c.redis.Close()
	if c.lock != nil {
		_ = errors.Join(release(c.lock), c.lock.Close()) // nothing is written to it
	}
	return c.log.err()
}

// lockFolder makes a folder and takes it for this process: two that wrote there
// would tear each other's data apart.
func lockFolder(dir string) (*os.File, error) {
	const choose = "choose another folder with --data"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the data folder: %w; %s", err, choose)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the data folder: %w; %s", err, choose)
	}
	if err := take(lock); err != nil {
		_ = lock.Close() // nothing was written
		return nil, fmt.Errorf("another process has the data folder %q: %w; stop it, or %s", dir, err, choose)
	}
	return lock, nil
}

// listenAddr returns the address in full.
func listenAddr(flag, addr string) (string, error) {
	if addr == "" {
		addr = ":0"
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("%s %s: not host:port, as in 127.0.0.1:9092: %w", flag, addr, err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return "", fmt.Errorf("%s %s: clients are told this address and cannot connect to %s; name one of this machine, as 127.0.0.1", flag, addr, host)
	}
	return net.JoinHostPort(host, port), nil
}

func listenError(server, flag, addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("starting %s: %s is in use by another program; stop it, or choose another address with %s (%s :0 takes a free port)",
			server, addr, flag, flag)
	}
	return fmt.Errorf("starting %s on %s: %w; choose another address with %s", server, addr, err, flag)
}

// errorLog keeps what the broker calls an error: what it could not write.
type errorLog struct {
	mu   sync.Mutex
	errs []error
}

// maxErrors is how many errors are kept: those that follow say the same.
const maxErrors = 10

// Logf is called by the broker.
func (l *errorLog) Logf(level kfake.LogLevel, format string, args ...any) {
	if level != kfake.LogLevelError {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.errs) < maxErrors {
		l.errs = append(l.errs, fmt.Errorf("embedded Kafka: "+format, args...))
	}
}

func (l *errorLog) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(slices.Clone(l.errs)...)
}
