package projection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/millrace/millrace/streams"
)

// RedisConfig is the `redis` block of the configuration.
type RedisConfig struct {
	// Addr is host:port of the Redis that holds the rows. Default
	// 127.0.0.1:6379.
	Addr string `yaml:"addr"`
	// Username is that of an ACL user. Default none, the default user.
	Username string `yaml:"username"`
	// Password is that of the user. Default none.
	Password streams.Secret `yaml:"password"`
	// DB is the number of the database. Default 0.
	DB int `yaml:"db"`
	// Prefix begins every key. Default "millrace:". Two installations that share
	// a Redis have two prefixes.
	Prefix string `yaml:"prefix"`
	// Dialer opens connections. Default TCP; tests put a network of their own
	// here.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error) `yaml:"-"`
}

// WithDefaults returns a copy in which every zero is its default.
func (c RedisConfig) WithDefaults() RedisConfig {
	c.Addr = cmp.Or(c.Addr, "127.0.0.1:6379")
	c.Prefix = cmp.Or(c.Prefix, DefaultPrefix)
	return c
}

// Validate says what is wrong with a configuration that has its defaults.
func (c RedisConfig) Validate() error {
	var errs []error
	_, port, err := net.SplitHostPort(c.Addr)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 {
		errs = append(errs, streams.FieldErrorf("addr", "addr is %q; write host:port, as in 127.0.0.1:6379, with a port from 1 to 65535", c.Addr))
	}
	if c.DB < 0 {
		errs = append(errs, streams.FieldErrorf("db", "db is %d; the databases of Redis are numbered from 0", c.DB))
	}
	if strings.ContainsAny(c.Prefix, "{}") {
		errs = append(errs, streams.FieldErrorf("prefix", "prefix must not contain braces; they decide on which node of a Redis Cluster a key is kept"))
	}
	return errors.Join(errs...)
}

// The limits of a Redis connection. A batch may wait for those of other
// partitions, each of which holds Redis for up to 40 ms; a reply that comes
// later than the limit costs a repetition and nothing else.
const (
	redisDialTimeout = 5 * time.Second
	redisTimeout     = 15 * time.Second
	redisPool        = 64
)

// OpenRedis returns a client for the configuration. It does not connect yet.
//
// The client repeats nothing by itself: a batch whose reply was lost may have
// been applied, and only the stored position tells.
func OpenRedis(cfg RedisConfig) (*redis.Client, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	return redis.NewClient(&redis.Options{
		Addr:                  cfg.Addr,
		Username:              cfg.Username,
		Password:              string(cfg.Password),
		DB:                    cfg.DB,
		Dialer:                cfg.Dialer,
		Protocol:              2,
		MaxRetries:            -1,
		DialerRetries:         1,
		DialTimeout:           redisDialTimeout,
		ReadTimeout:           redisTimeout,
		WriteTimeout:          redisTimeout,
		PoolSize:              redisPool,
		ContextTimeoutEnabled: true,
		DisableIdentity:       true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
	}), nil
}

// Refusal is the error of a Redis, named as given, whose answer was that it lets
// nobody in with this user, password or database; nil for any other answer.
func Refusal(redisName string, err error) error {
	for _, code := range []string{"NOAUTH", "WRONGPASS", "AUTH", "Client sent AUTH", "DB index", "invalid DB index"} {
		if redis.HasErrorPrefix(err, code) {
			return fmt.Errorf("%s answers and refuses: %w; the settings are redis.username, redis.password and redis.db", redisName, err)
		}
	}
	return nil
}

// CheckEviction refuses a Redis that may evict rows: where maxmemory_policy is
// not noeviction. Where it cannot be read, as in the embedded Redis and in some
// managed ones, it returns a warning. An error that [Waits] says is one of
// waiting says nothing about the Redis. A Redis that lets nobody in is refused, too.
func CheckEviction(ctx context.Context, client redis.UniversalClient) (warning string, err error) {
	const unreadable = "redis does not tell its maxmemory_policy; make sure that it is noeviction, or rows may vanish"
	info, err := client.Info(ctx, "memory").Result()
	refusal := Refusal("redis", err)
	switch {
	case err != nil && (Waits(err) || ctx.Err() != nil):
		return "", err
	case refusal != nil:
		return "", refusal
	case err != nil:
		return unreadable + " (" + err.Error() + ")", nil
	}
	for line := range strings.Lines(info) {
		policy, ok := strings.CutPrefix(strings.TrimSpace(line), "maxmemory_policy:")
		switch {
		case !ok:
		case policy == "noeviction":
			return "", nil
		default:
			return "", fmt.Errorf("redis may evict rows: its maxmemory_policy is %s; run CONFIG SET maxmemory-policy noeviction, and set it in redis.conf, too", policy)
		}
	}
	return unreadable, nil
}
