// Package e2e is the ground of the tests on real Kafka and real Redis.
//
//	eval "$(go run ./internal/e2e/services start)"
//	go test ./internal/e2e/...
//	go run ./internal/e2e/services stop
//
// [New] gives a test its [Env]: addresses, clients, and names of topics and a
// prefix in Redis that no other test has and that are removed when the test
// ends. Where MILLRACE_KAFKA or MILLRACE_REDIS is not set, it skips the test and
// says how to start the services.
//
// [Env.Start] runs a worker as a process: it can be killed, frozen, woken, asked
// to leave. What it printed is shown when the test fails. [Env.Proxy] puts a
// [Proxy] in front of Redis, which delays, refuses, or loses a reply after the
// command was carried out. [StartRedis] gives a test a Redis of its own, to be
// killed, wiped or set back to an older dump, and [StartCluster] a Kafka of three
// nodes, each of which can be killed and started again.
package e2e
