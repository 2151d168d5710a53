package e2e

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The environment variables that name the services.
const (
	KafkaVar = "MILLRACE_KAFKA"      // addresses of brokers, separated by commas
	RedisVar = "MILLRACE_REDIS"      // address of a Redis server
	LibsVar  = "MILLRACE_KAFKA_LIBS" // folder of Kafka's libraries
)

const howToStart = `start them with: eval "$(go run ./internal/e2e/services start)", or run: make e2e`

// Env is what one test has of the services. Its methods are for the goroutine of
// the test.
type Env struct {
	// Brokers are the addresses of Kafka.
	Brokers []string
	// RedisAddr is the address of Redis.
	RedisAddr string
	// ID is a name that no other test has; names of topics begin with it.
	ID string
	// Prefix stands before all keys of the test in Redis.
	Prefix string
	// Admin and Redis are clients, closed when the test ends.
	Admin *kadm.Client
	Redis *redis.Client

	t testing.TB
}

// New returns the environment of a test, or skips the test where no services are
// named.
func New(tb testing.TB) *Env {
	tb.Helper()
	brokers, addr := os.Getenv(KafkaVar), os.Getenv(RedisVar)
	if brokers == "" || addr == "" {
		tb.Skipf("needs real Kafka and real Redis, and %s or %s is not set; %s", KafkaVar, RedisVar, howToStart)
	}
	id := uniqueID(strings.TrimPrefix(tb.Name(), "Test"))
	e := &Env{
		Brokers: strings.Split(brokers, ","), RedisAddr: addr,
		ID: id, Prefix: id + ":",
		Redis: redis.NewClient(&redis.Options{Addr: addr}),
		t:     tb,
	}
	e.Admin = kadm.NewClient(e.Client())
	tb.Cleanup(e.clean)
	return e
}

// uniqueID returns a name for a test: what it is called, as names of topics may
// be, and some chance.
func uniqueID(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, name)
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails
	return name[:min(len(name), 40)] + "-" + hex.EncodeToString(b)
}

// metadataAge is how long a client may believe that a topic is not there: tests
// look for topics that their workers create.
const metadataAge = 50 * time.Millisecond

// Client returns a Kafka client, closed when the test ends.
func (e *Env) Client(opts ...kgo.Opt) *kgo.Client {
	e.t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(e.Brokers...), kgo.MetadataMinAge(metadataAge)}, opts...)...)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(client.Close)
	return client
}

// Topic creates an event topic of that many partitions, kept for ever until the
// test ends, and returns its name, which ends in name.
func (e *Env) Topic(name string, partitions int32) string {
	e.t.Helper()
	name = e.TopicName(name)
	forever := "-1"
	_, err := e.Admin.CreateTopic(e.context(), partitions, -1, map[string]*string{"retention.ms": &forever}, name)
	if err != nil {
		e.t.Fatalf("creating topic %s: %v", name, err)
	}
	return name
}

// TopicName returns a name for a topic that the test does not create itself.
// Every topic whose name begins with the ID is deleted when the test ends.
func (e *Env) TopicName(name string) string { return e.ID + "." + name }

// context returns a context for one quick question to a service.
func (e *Env) context() context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.t.Context()), 30*time.Second)
	e.t.Cleanup(cancel)
	return ctx
}

// clean removes what the test left in the services.
func (e *Env) clean() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := e.deleteGroups(ctx); err != nil {
		e.t.Errorf("deleting the groups of the test: %v", err)
	}
	if err := e.deleteTopics(ctx); err != nil {
		e.t.Errorf("deleting the topics of the test: %v", err)
	}
	if err := e.deleteKeys(ctx); err != nil {
		e.t.Errorf("deleting the keys of the test: %v", err)
	}
	if err := e.Redis.Close(); err != nil {
		e.t.Error(err)
	}
}

func (e *Env) deleteTopics(ctx context.Context) error {
	topics, err := e.Admin.ListTopics(ctx)
	if err != nil {
		return err
	}
	var mine []string
	for _, name := range topics.Names() {
		if strings.HasPrefix(name, e.ID) {
			mine = append(mine, name)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	_, err = e.Admin.DeleteTopics(ctx, mine...)
	return err
}

// deleteGroups deletes the groups that name the test and have no member.
func (e *Env) deleteGroups(ctx context.Context) error {
	groups, err := e.Admin.ListGroups(ctx, "Empty", "Dead")
	if err != nil {
		return err
	}
	var mine []string
	for _, name := range groups.Groups() {
		if strings.Contains(name, e.ID) {
			mine = append(mine, name)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	_, err = e.Admin.DeleteGroups(ctx, mine...)
	return err
}

func (e *Env) deleteKeys(ctx context.Context) error {
	keys := e.Redis.Scan(ctx, 0, e.Prefix+"*", 5000).Iterator()
	var batch []string
	for keys.Next(ctx) {
		if batch = append(batch, keys.Val()); len(batch) == 1000 {
			if err := e.Redis.Unlink(ctx, batch...).Err(); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	if len(batch) > 0 {
		if err := e.Redis.Unlink(ctx, batch...).Err(); err != nil {
			return err
		}
	}
	return keys.Err()
}
