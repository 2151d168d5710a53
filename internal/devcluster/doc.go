// Package devcluster is the Kafka and the Redis of millrace dev and millrace
// demo: both in this process, on real ports of this machine, so that other
// programs (a projector, kcat, redis-cli) can work with them.
//
// # Guarantees
//
// Topics are made explicitly and keep their records for ever, those that other
// programs make, too, unless they set a retention or compaction. With a data
// folder Kafka's topics, groups and transactions survive an orderly [Cluster.Close]
// and the next [Start]. A kill may lose the last writes and tear transactions:
// events of one that was aborted may be there again at a later start. So close it
// on SIGTERM, and keep nothing that is made of events: Redis is empty at each
// start, so that views rebuild themselves from offset zero, and [Options].Fresh
// names the topics to begin anew.
//
// # Limits
//
// It is for trying, developing and testing. There is one broker and no
// replication, nobody has to log in, and whoever reaches the ports may do
// anything: keep them on the loopback interface. Redis takes about 1 GiB for a
// million small rows.
//
// # Failures
//
// A port that is taken, an address that clients could not use, a data folder that
// another process has and data that cannot be read are errors of Start, which
// then leaves nothing running. What
// the broker could not write is an error of Close.
package devcluster
