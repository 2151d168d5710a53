package composecheck

import (
	"fmt"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// brokers returns the services that are brokers.
func brokers(p *types.Project) []types.ServiceConfig {
	return slices.DeleteFunc(services(p), func(s types.ServiceConfig) bool { return env(s, "KAFKA_NODE_ID") == "" })
}

// Cluster wants the brokers to be one cluster, with as many copies of everything
// as it can have, that loses one broker of three without standing still.
func Cluster(p *types.Project) []string {
	var f findings
	all := brokers(p)
	if len(all) != 1 && len(all) != 3 {
		f.add("there are %d brokers, neither one nor three", len(all))
	}
	var voters []string
	for _, s := range all {
		voters = append(voters, fmt.Sprintf("%s@%s:%s", env(s, "KAFKA_NODE_ID"), s.Name, listener(s, "CONTROLLER")))
	}
	copies, inSync := "1", "1"
	if len(all) > 1 {
		copies, inSync = "3", "2"
	}
	want := map[string]string{
		"CLUSTER_ID":                                             "",
		"KAFKA_CONTROLLER_QUORUM_VOTERS":                         strings.Join(voters, ","),
		"KAFKA_AUTO_CREATE_TOPICS_ENABLE":                        "false",
		"KAFKA_ADD_PARTITIONS_TO_TXN_RETRY_BACKOFF_MS":           "1",
		"KAFKA_DEFAULT_REPLICATION_FACTOR":                       copies,
		"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR":                 copies,
		"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR":         copies,
		"KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": copies,
		"KAFKA_MIN_INSYNC_REPLICAS":                              inSync,
		"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR":                    inSync,
		"KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR":            inSync,
	}
	if len(all) > 0 {
		want["CLUSTER_ID"] = env(all[0], "CLUSTER_ID")
	}
	for _, s := range all {
		for name, value := range want {
			if got := env(s, name); got != value || got == "" {
				f.add("%s: %s is %q, want %q", s.Name, name, got, value)
			}
		}
	}
	return f
}

// Listeners wants each broker to be found under the addresses that it gives to its
// clients: by its name inside, by a port of this machine outside.
func Listeners(p *types.Project) []string {
	var f findings
	for _, s := range brokers(p) {
		inside := listener(s, "INTERNAL")
		if got, want := address(s, "KAFKA_ADVERTISED_LISTENERS", "INTERNAL"), s.Name+":"+inside; got != want {
			f.add("%s: containers are told %q, want %q", s.Name, got, want)
		}
		outside := listener(s, "HOST")
		if len(s.Ports) != 1 || fmt.Sprint(s.Ports[0].Target) != outside {
			f.add("%s: port %s of the listener HOST is not the one that is published", s.Name, outside)
			continue
		}
		if got, want := address(s, "KAFKA_ADVERTISED_LISTENERS", "HOST"), s.Ports[0].HostIP+":"+s.Ports[0].Published; got != want {
			f.add("%s: programs of this machine are told %q, want %q", s.Name, got, want)
		}
		if s.HealthCheck == nil || !strings.HasSuffix(strings.Join(s.HealthCheck.Test, " "), "--bootstrap-server 127.0.0.1:"+inside) {
			f.add("%s: its health check does not ask at port %s", s.Name, inside)
		}
	}
	return f
}

// address returns host:port of a listener in a list of KEY://host:port.
func address(s types.ServiceConfig, list, name string) string {
	for _, l := range strings.Split(env(s, list), ",") {
		if address, ok := strings.CutPrefix(l, name+"://"); ok {
			return address
		}
	}
	return ""
}

// listener returns the port that a listener listens on.
func listener(s types.ServiceConfig, name string) string {
	_, port, _ := strings.Cut(address(s, "KAFKA_LISTENERS", name), ":")
	return port
}

// Data wants the data of every broker, and of Redis, in a volume of its own that
// has a name, and time to stop in order.
func Data(p *types.Project) []string {
	var f findings
	owners := map[string]string{}
	for _, s := range services(p) {
		if s.Build != nil || !keepsRunning(s) {
			continue
		}
		folder := env(s, "KAFKA_LOG_DIRS")
		if folder == "" {
			folder = "/data" // of Redis
		}
		i := slices.IndexFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Target == folder })
		if i < 0 || s.Volumes[i].Type != types.VolumeTypeVolume || s.Volumes[i].Source == "" {
			f.add("%s: %s is not in a volume that has a name", s.Name, folder)
			continue
		}
		if other, ok := owners[s.Volumes[i].Source]; ok {
			f.add("%s: it shares the volume %s with %s", s.Name, s.Volumes[i].Source, other)
		}
		owners[s.Volumes[i].Source] = s.Name
		if s.StopGracePeriod == nil {
			f.add("%s: it has only the 10 s of the engine to stop", s.Name)
		}
	}
	return f
}

// Redis wants rows to stay: none is evicted, and all are written to disk.
func Redis(p *types.Project) []string {
	var f findings
	for _, s := range services(p) {
		if len(s.Command) == 0 || s.Command[0] != "redis-server" {
			continue
		}
		for name, want := range map[string]string{"--maxmemory-policy": "noeviction", "--appendonly": "yes"} {
			if got := flag(s.Command, name); got != want {
				f.add("%s: %s is %q, want %q", s.Name, name, got, want)
			}
		}
		return f
	}
	return []string{"there is no Redis"}
}
