package devcluster_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"github.com/millrace/millrace/internal/devcluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o devcluster.Options) *devcluster.Cluster {
	t.Helper()
	c, err := devcluster.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func client(t *testing.T, c *devcluster.Cluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	k, err := kgo.NewClient(append(opts, kgo.SeedBrokers(c.KafkaAddr()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func TestClientsReachBoth(t *testing.T) {
	c := start(t, devcluster.Options{Topics: map[string]int32{"orders": 3}})
	admin := kadm.NewClient(client(t, c))
	topics, err := admin.ListTopics(t.Context(), "orders")
	if err != nil || len(topics["orders"].Partitions) != 3 {
		t.Errorf("topics %v, %v", topics, err)
	}
	configs, err := admin.DescribeTopicConfigs(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	for _, setting := range configs[0].Configs {
		if setting.Key == "retention.ms" && setting.MaybeValue() != "-1" {
			t.Errorf("retention.ms is %s", setting.MaybeValue())
		}
	}
	r := redis.NewClient(&redis.Options{Addr: c.RedisAddr()})
	defer r.Close()
	if err := r.Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}

func TestDataSurvivesARestart(t *testing.T) {
	o := devcluster.Options{DataDir: filepath.Join(t.TempDir(), "data"), Topics: map[string]int32{"orders": 1, "states": 1}}
	first, err := devcluster.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	writer := client(t, first, kgo.TransactionalID("x"))
	if err := writer.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := writer.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Value: []byte("kept")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := writer.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	delete(o.Topics, "states")
	o.Topics["new"] = 2
	o.Fresh = []string{"states", "never"}
	o.Topics["orders"] = 12
	second := start(t, o)
	reader := client(t, second, kgo.ConsumeTopics("orders"), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	fetches := reader.PollFetches(t.Context())
	if records := fetches.Records(); fetches.Err() != nil || len(records) != 1 || string(records[0].Value) != "kept" {
		t.Errorf("read %d records, %v", len(records), fetches.Err())
	}
	topics, err := kadm.NewClient(reader).ListTopics(t.Context())
	if err != nil || len(topics["new"].Partitions) != 2 || len(topics["orders"].Partitions) != 1 || topics.Has("states") {
		t.Errorf("topics %v, %v; want a new one, and the old one as it was, but for the one to begin anew", topics, err)
	}
}

func TestAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	for flag, o := range map[string]devcluster.Options{
		"--kafka": {KafkaAddr: taken},
		"--redis": {RedisAddr: taken},
	} {
		_, err := devcluster.Start(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), taken+" is in use") || !strings.Contains(err.Error(), flag+" :0") {
			t.Errorf("%s: error %v", flag, err)
		}
	}
}

func TestBadAddress(t *testing.T) {
	for addr, want := range map[string]string{
		"9092":         "not host:port",
		"0.0.0.0:9092": "cannot connect to 0.0.0.0",
		"[::]:9092":    "cannot connect to ::",
		"127.0.0.1:x":  "choose another address with --kafka",
	} {
		_, err := devcluster.Start(t.Context(), devcluster.Options{KafkaAddr: addr})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", addr, err, want)
		}
	}
}

func TestUnusableDataFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "kafka"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := devcluster.Start(t.Context(), devcluster.Options{DataDir: dir})
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v, want one that names %s", err, dir)
	}
}

func TestStartStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := devcluster.Start(ctx, devcluster.Options{Topics: map[string]int32{"orders": 1}})
	if err == nil || !strings.Contains(err.Error(), "starting the embedded Kafka") {
		t.Errorf("error %v", err)
	}
}

func TestCloseTwice(t *testing.T) {
	c := start(t, devcluster.Options{})
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
