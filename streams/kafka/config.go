package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/streams"
)

// Config is the kafka block of the configuration: how to reach the cluster and
// what this worker is called there.
type Config struct {
	// Brokers are the addresses, host:port, that the first connection is tried
	// at; the cluster names the others. At least one is required. An entry may
	// hold several with commas between, as one environment variable does.
	Brokers []string `yaml:"brokers"`
	// ClientID is what brokers call this client in their logs and quotas.
	// Default: millrace.
	ClientID string `yaml:"client_id"`
	// InstanceID makes the worker a static member of its group: killed and
	// restarted at once it keeps its partitions. Each worker needs another one,
	// so set it only where an orchestrator gives stable names. Default: none.
	InstanceID string `yaml:"instance_id"`
	// Prefix begins the names of groups and transactional IDs. Two installations
	// that share a cluster need different ones. Default: millrace.
	Prefix string `yaml:"prefix"`
	// Dialer opens connections. Nil means TCP; tests put a virtual network here.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error) `yaml:"-"`
}

// TopicConfig is one entry of the topics block.
type TopicConfig struct {
	// AcceptRetention says that it is known and wanted that Kafka deletes or
	// compacts events of this topic, so that no view can be built anew from
	// offset 0. Default: false.
	AcceptRetention bool `yaml:"accept_retention"`
	// Partitioner is what producers choose partitions by: murmur2, Java's
	// default, which is checked for every record, or any, which is not checked
	// and costs what depends on one owner per stream. Default: murmur2.
	Partitioner string `yaml:"partitioner"`
}

// The values of [TopicConfig.Partitioner].
const (
	PartitionerMurmur2 = "murmur2"
	PartitionerAny     = "any"
)

const defaultName = "millrace"

// WithDefaults returns a copy in which what was left out has its default.
func (c Config) WithDefaults() Config {
	c.ClientID = cmp.Or(c.ClientID, defaultName)
	c.Prefix = cmp.Or(c.Prefix, defaultName)
	return c
}

// WithDefaults returns a copy in which what was left out has its default.
func (c TopicConfig) WithDefaults() TopicConfig {
	c.Partitioner = cmp.Or(c.Partitioner, PartitionerMurmur2)
	return c
}

// prefixes are what Kafka allows in a group and we in a prefix: what is also
// legible in a log line and on a command line.
var prefixes = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// Validate returns everything that is wrong, joined [streams.FieldError]s. It wants a
// configuration with defaults.
func (c Config) Validate() error {
	var errs []error
	if len(c.Brokers) == 0 {
		errs = append(errs, streams.FieldErrorf("brokers", "brokers is missing; name at least one, as in brokers: [127.0.0.1:9092]"))
	}
	for i, entry := range c.Brokers {
		for _, b := range addresses(entry) {
			if err := checkAddress(b); err != nil {
				errs = append(errs, streams.FieldErrorf(fmt.Sprintf("brokers[%d]", i), "%q is not host:port: %v", b, err))
			}
		}
	}
	if !prefixes.MatchString(c.Prefix) {
		errs = append(errs, streams.FieldErrorf("prefix", "prefix %q may hold letters, digits, '.', '_' and '-' only", c.Prefix))
	}
	return errors.Join(errs...)
}

// Validate returns what is wrong as [streams.FieldError]s. It wants a configuration
// with defaults.
func (c TopicConfig) Validate() error {
	if c.Partitioner != PartitionerMurmur2 && c.Partitioner != PartitionerAny {
		return streams.FieldErrorf("partitioner", "partitioner %q is neither murmur2 nor any", c.Partitioner)
	}
	return nil
}

// addresses are those of brokers that stand in entries.
func addresses(entries ...string) (all []string) {
	for _, e := range entries {
		for b := range strings.SplitSeq(e, ",") {
			all = append(all, strings.TrimSpace(b))
		}
	}
	return all
}

func checkAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	var ae *net.AddrError
	switch {
	case errors.As(err, &ae):
		return errors.New(ae.Err)
	case err != nil:
		return err
	case host == "":
		return errors.New("the host is missing")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("port %q is not a number from 1 to 65535", port)
	}
	return nil
}

// maxBackoff is the longest wait between two tries to reach a broker: an outage
// of hours must not cost minutes more, and 50 workers must not hammer the
// broker that returns.
const maxBackoff = time.Second

// options are those of every client of this package, then the extra ones.
func (c Config) options(extra ...kgo.Opt) []kgo.Opt {
	c = c.WithDefaults()
	opts := []kgo.Opt{
		kgo.SeedBrokers(addresses(c.Brokers...)...),
		kgo.ClientID(c.ClientID),
		kgo.SoftwareNameAndVersion("millrace", "1"),
		kgo.RetryBackoffFn(backoff),
		kgo.DisableClientMetrics(),
	}
	if c.Dialer != nil {
		opts = append(opts, kgo.Dialer(c.dial))
	}
	return append(opts, extra...)
}

// backoff doubles from 10 ms, less up to a quarter by chance. The first step is
// short because the first produce after a transaction is refused until its
// markers are written; a longer one costs seconds of stalls.
func backoff(tries int) time.Duration {
	d := min(10*time.Millisecond<<min(max(tries-1, 0), 10), maxBackoff)
	return d - rand.N(d/4)
}

// dialTimeout bounds one attempt to connect. The client bounds only those of its
// own dialer, and waits for them when it is closed.
const dialTimeout = 10 * time.Second

func (c Config) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	return c.Dialer(ctx, network, address)
}
