// Package streamstest runs a Kafka and a Redis inside a test: in this process,
// in memory, on a network of pipes. It is for the tests of those who build on
// Millrace as much as for Millrace's own; no worker links it.
//
// # Model
//
// A [Cluster] is a [Kafka] (kfake behind the real wire protocol) and a [Redis]
// (miniredis). The code under test keeps its real clients and dials through a
// [Link]:
//
//	c := streamstest.New(t, streamstest.Options{Topics: map[string]int32{"orders": 3}})
//	config := kafka.Config{Brokers: c.Kafka.Brokers(), Dialer: c.Kafka.Dial}
//	client := redis.NewClient(&redis.Options{Addr: c.Redis.Addr(), Dialer: c.Redis.Dial})
//
// No socket is opened, so all of it works inside a testing/synctest bubble,
// where hours of time-outs cost milliseconds. In a bubble, call [New] inside
// of it, and assign partitions directly: joining a group there never ends.
//
// [Connect] gives the same of servers that run elsewhere, so that a story told
// in a bubble can be told on a real Kafka and a real Redis, too.
//
// # Faults
//
// A link is the network between one client and one server. It can be cut, taken
// down or frozen, and a [Fault] does so at one exact request: lose the reply of
// the third EVALSHA, cut the first EndTxn before it arrives. A worker with links
// of its own can be frozen alone, as by SIGSTOP, while others go on. Kafka takes
// further faults from kfake itself: see [Kafka.Server].
//
// A Redis can be stopped, wiped, and started again from an older [Snapshot], as
// after a failover or a restore.
//
// # Guarantees
//
// Everything ends with the test: servers, links, clients and their goroutines.
// Methods may be called from several goroutines; those that can fail end the
// test, so call these from the test's own goroutine.
//
// # What is not as in production
//
// One process, no disk, no replication, no network delay. kfake compacts when
// told to ([kfake.Cluster.Compact]) and then ignores lags; every topic here
// keeps its records for ever. miniredis has no FUNCTION and no CONFIG, and its
// float text differs from that of Redis: what must be exact is tested on a real
// one, too.
package streamstest
