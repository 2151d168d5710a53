package lint

// edges says what a package may import besides the standard library: packages
// of this module by their folder, others by their module or a package of it.
// Files of tests may import what they like. Every package must be in the table;
// those that are only planned may be.
var edges = map[string][]string{
	// The vocabulary.
	"streams": {},

	// What stands on the vocabulary alone.
	"streams/avro":   {"streams", goavro, twmbAvro},
	"streams/kafka":  {"streams", kgo, kadm, kerr, kmsg, sync},
	"streams/rules":  {"streams", expr, yaml},
	"streams/state":  {"streams"},
	"streams/worker": {"streams", yaml, prometheus, sync},

	"streams/snapshot": {"streams", "streams/kafka", "streams/state"},

	// What the runtimes have in common.
	"streams/internal/follow": {"streams", "streams/kafka", "streams/rules"},

	// The runtimes, which never import each other.
	"streams/projection": runtime(redis, prometheus, yaml, sync),
	"streams/compaction": runtime(prometheus, yaml, sync),
	"streams/saga":       runtime(prometheus, yaml, sync),
	"streams/aggregate":  runtime(prometheus, yaml, sync),

	// Fakes for tests.
	"streams/internal/followtest": {"streams", "streams/kafka"},
	"streams/streamstest":         {"streams", kgo, kadm, kerr, kfake, kmsg, miniredis, redis, uuid},

	// The workers, and what composes them.
	"cmd/projector":              {"internal/compose", "streams/worker", "streams/projection"},
	"cmd/saga-runner":            {"internal/compose", "streams/worker", "streams/saga"},
	"cmd/compactor":              {"internal/compose/compactor", "streams/worker"},
	"internal/compose":           {"streams", "streams/avro", "streams/kafka", "streams/rules", "streams/projection", "streams/worker", redis, yaml},
	"internal/compose/compactor": {"streams", "streams/avro", "streams/kafka", "streams/compaction", "streams/worker"},

	// The operator's tool, and what it is made of.
	"cmd/millrace": {
		"streams", "streams/avro", "streams/kafka", "streams/rules", "streams/projection", "streams/worker",
		"internal/compose", "internal/compose/compactor", "streams/compaction", "streams/snapshot", "streams/state", "internal/devcluster", "internal/importer", "internal/progress", "internal/shop", "schemas", "examples/shop", "examples/shop/orders",
		kgo, kadm, redis, yaml, sync,
	},
	"internal/devcluster":  {"streams/kafka", kgo, kadm, kerr, kfake, miniredis},
	"internal/importer":    {"streams", "streams/avro", "streams/kafka", uuid, sync},
	"internal/progress":    {term},
	"internal/refgen":      {},
	"internal/shop":        {},
	"internal/shop/oracle": {"internal/shop"},
	"schemas":              {},
	"examples/shop":        {},
	"examples/shop/orders": {"internal/shop"},

	// The tests on real services. The oracle shares no code with what it checks.
	"internal/e2e": {"internal/e2e/freeport", "internal/e2e/kafka", "internal/e2e/redisserver", "streams/streamstest", kgo, kadm, redis},
	"internal/e2e/bench": {
		"streams", "streams/avro", "streams/kafka", "streams/state", "streams/snapshot", "streams/projection", "streams/compaction", "streams/worker",
		"internal/compose", "internal/compose/compactor", kgo, kadm, prometheus, redis, sync, uuid,
	},
	"internal/e2e/daemon":      {},
	"internal/e2e/fines":       {},
	"internal/e2e/freeport":    {},
	"internal/e2e/kafka":       {"internal/e2e/daemon", kgo, kmsg},
	"internal/e2e/redisserver": {"internal/e2e/daemon", redis},
	"internal/e2e/services":    {"internal/e2e/kafka", "internal/e2e/redisserver"},

	// What tests of command lines stand on.
	"internal/story": {testscript},

	// Tests of the source and of the pages.
	"internal/docs": {},
	"internal/lint": {},
}

// runtime is what every runtime may import, and what this one does besides.
func runtime(others ...string) []string {
	return append([]string{"streams", "streams/avro", "streams/kafka", "streams/rules", "streams/state", "streams/snapshot", "streams/internal/follow"}, others...)
}

// The modules, or packages, of others.
const (
	expr       = "github.com/expr-lang/expr"
	goavro     = "github.com/linkedin/goavro/v2"
	kadm       = "github.com/twmb/franz-go/pkg/kadm"
	kerr       = "github.com/twmb/franz-go/pkg/kerr"
	kfake      = "github.com/twmb/franz-go/pkg/kfake"
	kgo        = "github.com/twmb/franz-go/pkg/kgo"
	kmsg       = "github.com/twmb/franz-go/pkg/kmsg"
	miniredis  = "github.com/alicebob/miniredis/v2"
	prometheus = "github.com/prometheus/client_golang"
	redis      = "github.com/redis/go-redis/v9"
	sync       = "golang.org/x/sync"
	testscript = "github.com/rogpeppe/go-internal/testscript"
	term       = "golang.org/x/term"
	twmbAvro   = "github.com/twmb/avro"
	uuid       = "github.com/google/uuid"
	yaml       = "go.yaml.in/yaml/v4"
)

// links says what a binary must not be linked with, however far away. That a
// projector cannot emit, and that nobody deploys a fake, are properties of the
// binaries.
var links = map[string][]string{
	"cmd/projector":   {"streams/saga", "streams/aggregate", "streams/compaction", "internal/importer", "internal/devcluster", "streams/streamstest", kfake, miniredis},
	"cmd/saga-runner": {"streams/projection", "streams/aggregate", "streams/compaction", "internal/importer", "internal/devcluster", "streams/streamstest", kfake, miniredis},
	"cmd/compactor":   {"streams/projection", "streams/saga", "streams/aggregate", "internal/importer", "internal/devcluster", "streams/streamstest", kfake, miniredis},
	"cmd/millrace":    {"streams/streamstest"},
}

// long is which functions and files may be longer than the budget, and why.
var long = map[string]string{
	"streams/decimal.go": "one type whose two representations, small and large, are understood together",
}
