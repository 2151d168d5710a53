package composecheck

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

const root = "../.."

// profiles are the ways to run the project; the first is that of .env.
var profiles = []string{"", "one", "three"}

func load(t *testing.T, profile string) *types.Project {
	t.Helper()
	var given []string
	if profile != "" {
		given = []string{profile}
	}
	p, err := Load(t.Context(), root, given...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rules are those that need no binaries.
var rules = map[string]func(*types.Project) []string{
	"addresses": Addresses, "cluster": Cluster, "data": Data, "dependencies": Dependencies, "grace": Grace,
	"health": Health, "images": Images, "listeners": Listeners, "ports": Ports, "privileges": Privileges,
	"probes": Probes, "redis": Redis, "restarts": Restarts, "topics": Topics, "variables": Variables,
}

func TestRules(t *testing.T) {
	for _, profile := range profiles {
		p := load(t, profile)
		for name, rule := range rules {
			for _, finding := range rule(p) {
				t.Errorf("profile %q, %s: %s", profile, name, finding)
			}
		}
	}
}

func TestProfiles(t *testing.T) {
	for profile, want := range map[string][]string{"": {"kafka"}, "one": {"kafka"}, "three": {"kafka-1", "kafka-2", "kafka-3"}} {
		want = append(want, "compactor", "projector", "redis", "topics")
		slices.Sort(want)
		if got := load(t, profile).ServiceNames(); !slices.Equal(got, want) {
			t.Errorf("profile %q runs %v, want %v", profile, got, want)
		}
	}
}

// broken is a project with one mistake, and the rule that must find it.
type broken struct {
	rule, profile, service string
	mistake                func(s *types.ServiceConfig)
}

func setenv(name, value string) func(*types.ServiceConfig) {
	return func(s *types.ServiceConfig) { s.Environment[name] = &value }
}

func command(old, replacement string) func(*types.ServiceConfig) {
	return func(s *types.ServiceConfig) { s.Command = replace(s.Command, old, replacement) }
}

func inTest(old, replacement string) func(*types.ServiceConfig) {
	return func(s *types.ServiceConfig) { s.HealthCheck.Test = replace(s.HealthCheck.Test, old, replacement) }
}

func replace(words []string, old, replacement string) []string {
	words = slices.Clone(words)
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], old, replacement)
	}
	return words
}

var mistakes = map[string]broken{
	"latest":               {"images", "", "redis", func(s *types.ServiceConfig) { s.Image = "redis:latest" }},
	"major version":        {"images", "", "redis", func(s *types.ServiceConfig) { s.Image = "redis:7" }},
	"minor version":        {"images", "", "kafka", func(s *types.ServiceConfig) { s.Image = "apache/kafka:4.3" }},
	"no version":           {"images", "three", "kafka-2", func(s *types.ServiceConfig) { s.Image = "apache/kafka" }},
	"no restart":           {"restarts", "", "projector", func(s *types.ServiceConfig) { s.Restart = "" }},
	"restart on failure":   {"restarts", "", "topics", func(s *types.ServiceConfig) { s.Restart = "on-failure" }},
	"no health check":      {"health", "", "projector", func(s *types.ServiceConfig) { s.HealthCheck = nil }},
	"disabled":             {"health", "", "redis", func(s *types.ServiceConfig) { s.HealthCheck.Disable = true }},
	"NONE":                 {"health", "", "kafka", func(s *types.ServiceConfig) { s.HealthCheck.Test = []string{"NONE"} }},
	"no timeout":           {"health", "", "kafka", func(s *types.ServiceConfig) { s.HealthCheck.Timeout = nil }},
	"one-shot is asked":    {"health", "", "topics", func(s *types.ServiceConfig) { s.HealthCheck = &types.HealthCheckConfig{Test: []string{"CMD", "true"}} }},
	"every address":        {"ports", "", "redis", func(s *types.ServiceConfig) { s.Ports[0].HostIP = "" }},
	"another address":      {"ports", "three", "kafka-3", func(s *types.ServiceConfig) { s.Ports[0].HostIP = "0.0.0.0" }},
	"waits for a start":    {"dependencies", "", "projector", depends("redis", types.ServiceConditionStarted, true)},
	"waits for health":     {"dependencies", "", "projector", depends("topics", types.ServiceConditionHealthy, true)},
	"waits for the other":  {"dependencies", "", "topics", depends("kafka-1", types.ServiceConditionHealthy, true)},
	"waits for nobody":     {"dependencies", "", "topics", depends("kafka-4", types.ServiceConditionHealthy, false)},
	"gains privileges":     {"privileges", "", "kafka", func(s *types.ServiceConfig) { s.SecurityOpt = nil }},
	"privileged":           {"privileges", "", "projector", func(s *types.ServiceConfig) { s.Privileged = true }},
	"capabilities":         {"privileges", "", "projector", func(s *types.ServiceConfig) { s.CapDrop = nil }},
	"a capability":         {"privileges", "", "projector", func(s *types.ServiceConfig) { s.CapAdd = []string{"NET_ADMIN"} }},
	"root can be written":  {"privileges", "", "projector", func(s *types.ServiceConfig) { s.ReadOnly = false }},
	"mount can be written": {"privileges", "", "projector", func(s *types.ServiceConfig) { s.Volumes[0].ReadOnly = false }},
	"another node":         {"cluster", "three", "kafka-2", setenv("KAFKA_NODE_ID", "3")},
	"another cluster":      {"cluster", "three", "kafka-2", setenv("CLUSTER_ID", "other")},
	"topics appear":        {"cluster", "", "kafka", setenv("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "true")},
	"slow transactions":    {"cluster", "", "kafka", setenv("KAFKA_ADD_PARTITIONS_TO_TXN_RETRY_BACKOFF_MS", "20")},
	"one copy":             {"cluster", "three", "kafka-1", setenv("KAFKA_DEFAULT_REPLICATION_FACTOR", "1")},
	"one in sync":          {"cluster", "three", "kafka-1", setenv("KAFKA_MIN_INSYNC_REPLICAS", "1")},
	"three copies of one":  {"cluster", "", "kafka", setenv("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "3")},
	"two brokers":          {"cluster", "three", "kafka-3", setenv("KAFKA_NODE_ID", "")},
	"told the wrong name":  {"listeners", "three", "kafka-1", setenv("KAFKA_ADVERTISED_LISTENERS", "INTERNAL://kafka:19092,HOST://127.0.0.1:9092")},
	"told the wrong port":  {"listeners", "three", "kafka-2", setenv("KAFKA_ADVERTISED_LISTENERS", "INTERNAL://kafka-2:19092,HOST://127.0.0.1:9092")},
	"the wrong port":       {"listeners", "", "kafka", func(s *types.ServiceConfig) { s.Ports[0].Target = 19092 }},
	"asked elsewhere":      {"listeners", "", "kafka", inTest("19092", "9999")},
	"no volume":            {"data", "", "kafka", func(s *types.ServiceConfig) { s.Volumes = nil }},
	"volume elsewhere":     {"data", "", "redis", func(s *types.ServiceConfig) { s.Volumes[0].Target = "/var/lib/redis" }},
	"volume without name":  {"data", "", "redis", func(s *types.ServiceConfig) { s.Volumes[0].Source = "" }},
	"shared volume":        {"data", "three", "kafka-2", func(s *types.ServiceConfig) { s.Volumes[0].Source = "kafka-1" }},
	"killed early":         {"data", "", "kafka", func(s *types.ServiceConfig) { s.StopGracePeriod = nil }},
	"evicts":               {"redis", "", "redis", command("noeviction", "allkeys-lru")},
	"forgets":              {"redis", "", "redis", command("yes", "no")},
	"no Redis":             {"redis", "", "redis", command("redis-server", "valkey-server")},
	"asks for ready":       {"probes", "", "projector", inTest("--probe", "--probe=ready")},
	"asks with another":    {"probes", "", "projector", inTest("shop.yaml", "other.yaml")},
	"grace":                {"grace", "", "projector", func(s *types.ServiceConfig) { *s.StopGracePeriod /= 2 }},
	"no grace":             {"grace", "", "projector", func(s *types.ServiceConfig) { s.StopGracePeriod = nil }},
	"no such topic":        {"topics", "", "topics", command("orders", "order")},
	"one partition":        {"topics", "", "topics", command("=12", "=1")},
	"events are deleted":   {"topics", "", "topics", command("=-1", "=1000")},
	"no configuration":     {"topics", "", "projector", command("shop.yaml", "other.yaml")},
	"misspelled variable":  {"variables", "", "compactor", setenv("MILLRACE_KAFAK", "kafka:19092")},
	"unread variable":      {"variables", "", "compactor", setenv("MILLRACE_REDIS", "redis:6379")},
	"no alias":             {"addresses", "three", "kafka-3", func(s *types.ServiceConfig) { s.Networks["default"] = nil }},
	"the host's port":      {"addresses", "", "projector", setenv("MILLRACE_KAFKA", "kafka:9092")},
	"one of three":         {"addresses", "three", "topics", command("kafka:", "kafka-1:")},
	"another Redis":        {"addresses", "", "projector", setenv("MILLRACE_REDIS", "127.0.0.1:6379")},
	"nobody reaches admin": {"addresses", "", "projector", setenv("MILLRACE_ADMIN", "127.0.0.1:8080")},
}

func depends(on, condition string, required bool) func(*types.ServiceConfig) {
	return func(s *types.ServiceConfig) {
		s.DependsOn[on] = types.ServiceDependency{Condition: condition, Required: required}
	}
}

// TestMistakes makes one mistake at a time: its rule finds it.
func TestMistakes(t *testing.T) {
	seen := map[string]bool{}
	for name, b := range mistakes {
		p := load(t, b.profile)
		s := p.Services[b.service]
		b.mistake(&s)
		p.Services[b.service] = s
		if len(rules[b.rule](p)) == 0 {
			t.Errorf("%s: the rule %s finds nothing", name, b.rule)
		}
		seen[b.rule] = true
	}
	for name := range rules {
		if !seen[name] {
			t.Errorf("no mistake shows that the rule %s finds one", name)
		}
	}
}

// TestLoadRefuses has a mistake that docker compose would refuse, too.
func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker-compose.yml"), []byte("services: {a: {image: a, restrat: always}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "restrat") {
		t.Errorf("got %v", err)
	}
}
