package composecheck

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"
)

// Binaries is the folder of the binaries of our image.
type Binaries string

// run runs one of them and returns all that it says.
func (b Binaries) run(ctx context.Context, environ []string, command ...string) (string, error) {
	c := exec.CommandContext(ctx, filepath.Join(string(b), command[0]), command[1:]...)
	c.Dir, c.Env = string(b), append([]string{}, environ...) // nothing of ours
	out, err := c.CombinedOutput()
	return string(out), err
}

var someFlag = regexp.MustCompile(`--[a-z-]+`)

// Flags wants each flag that a worker is started or probed with to be one that its
// help names.
func (b Binaries) Flags(ctx context.Context, p *types.Project) []string {
	var f findings
	for _, s := range workers(p) {
		help, err := b.run(ctx, nil, s.Command[0], "--help")
		if err != nil {
			f.add("%s: asking %s for its flags: %v", s.Name, s.Command[0], err)
			continue
		}
		known := someFlag.FindAllString(help, -1)
		for _, arg := range append(slices.Clone(s.Command), probe(s)...) {
			if name := someFlag.FindString(arg); name != "" && !slices.Contains(known, name) {
				f.add("%s: %s knows no flag %s", s.Name, s.Command[0], name)
			}
		}
	}
	return f
}

// probe returns the command of a health check.
func probe(s types.ServiceConfig) []string {
	if s.HealthCheck == nil || len(s.HealthCheck.Test) < 2 {
		return nil
	}
	return s.HealthCheck.Test[1:]
}

// Probes wants a worker to be asked by its own binary, with its own configuration,
// whether it is live: one whose view is still building is not unhealthy.
func Probes(p *types.Project) []string {
	var f findings
	for _, s := range workers(p) {
		if want := append(slices.Clone(s.Command), "--probe"); !slices.Equal(probe(s), want) {
			f.add("%s: its health check is %q, want %q", s.Name, probe(s), want)
		}
	}
	return f
}

// Configs wants every configuration that a worker mounts, among them its own, to
// pass the check of its binary in the environment that the worker gets. What is
// mounted is looked for where it is mounted from.
func (b Binaries) Configs(ctx context.Context, p *types.Project) []string {
	var f findings
	for _, s := range workers(p) {
		var environ []string
		for name := range s.Environment {
			environ = append(environ, name+"="+outside(s, env(s, name)))
		}
		mounted := configs(s)
		if own := flag(s.Command, "--config"); !slices.Contains(mounted, own) {
			f.add("%s: its configuration %s is not mounted", s.Name, own)
		}
		for _, file := range mounted {
			if out, err := b.run(ctx, environ, s.Command[0], "--config", outside(s, file), "--check"); err != nil {
				f.add("%s: %v: %s", s.Name, err, out)
			}
		}
	}
	return f
}

// configs returns the configurations that a worker mounts, as it sees them.
func configs(s types.ServiceConfig) (files []string) {
	for _, v := range s.Volumes {
		if strings.HasSuffix(v.Target, ".yaml") {
			files = append(files, v.Target)
		}
	}
	return files
}

// outside returns the path on this machine of one in the container; another text
// is returned as it is.
func outside(s types.ServiceConfig, path string) string {
	for _, v := range s.Volumes {
		if rest, ok := strings.CutPrefix(path, v.Target); ok && (rest == "" || rest[0] == '/') {
			return v.Source + rest
		}
	}
	return path
}

// config is what the rules read of a configuration.
type config struct {
	text   string
	Admin  struct{ Grace string }
	Topics map[string]any
}

func readConfig(s types.ServiceConfig) (config, error) {
	text, err := os.ReadFile(outside(s, flag(s.Command, "--config")))
	if err != nil {
		return config{}, fmt.Errorf("reading the configuration: %w", err)
	}
	c := config{text: string(text)}
	return c, yaml.Unmarshal(text, &c)
}

// Variables wants the configuration of a worker to read every variable that is set
// for it: of one that it does not read, the default is taken in silence.
func Variables(p *types.Project) []string {
	var f findings
	for _, s := range workers(p) {
		c, err := readConfig(s)
		if err != nil {
			f.add("%s: %v", s.Name, err)
		}
		for name := range s.Environment {
			if !strings.Contains(c.text, "${"+name+":-") && !strings.Contains(c.text, "${"+name+"}") {
				f.add("%s: its configuration does not read %s", s.Name, name)
			}
		}
	}
	return f
}

// Grace wants a worker to be killed only after its own grace period.
func Grace(p *types.Project) []string {
	var f findings
	for _, s := range workers(p) {
		c, err := readConfig(s)
		grace, bad := time.ParseDuration(cmp.Or(c.Admin.Grace, "25s"))
		switch {
		case err != nil || bad != nil:
			f.add("%s: %v", s.Name, cmp.Or(err, bad))
		case s.StopGracePeriod == nil || time.Duration(*s.StopGracePeriod) <= grace:
			f.add("%s: it is killed before its admin.grace, %v, is over", s.Name, grace)
		}
	}
	return f
}

// Topics wants the topics of every configuration to be created, with partitions
// for more workers than there are, and to keep their events.
func Topics(p *types.Project) []string {
	var f findings
	created := map[string]bool{}
	for _, s := range services(p) {
		topic := flag(s.Command, "--topic")
		if topic == "" {
			continue
		}
		created[topic] = true
		for name, want := range map[string]string{"--partitions": "12", "--config": "retention.ms=-1"} {
			if got := flag(s.Command, name); got != want {
				f.add("%s: %s is %q, want %q", s.Name, name, got, want)
			}
		}
	}
	for _, s := range workers(p) {
		c, err := readConfig(s)
		if err != nil {
			f.add("%s: %v", s.Name, err)
		}
		for topic := range c.Topics {
			if !created[topic] {
				f.add("%s: nobody creates the topic %s", s.Name, topic)
			}
		}
	}
	return f
}

// Addresses wants workers, and what creates topics, to find all brokers by one name
// whichever there are, Redis by its name, and the admin address to be the one that
// is published.
func Addresses(p *types.Project) []string {
	var f findings
	expect := func(s types.ServiceConfig, what, got, want string) {
		if got != want {
			f.add("%s: %s is %q, want %q", s.Name, what, got, want)
		}
	}
	inside := ""
	for _, s := range brokers(p) {
		inside = listener(s, "INTERNAL")
		if n := s.Networks["default"]; s.Name != "kafka" && (n == nil || !slices.Contains(n.Aliases, "kafka")) {
			f.add("%s: it is not found by the name kafka", s.Name)
		}
	}
	for _, s := range services(p) {
		if flag(s.Command, "--topic") != "" {
			expect(s, "--bootstrap-server", flag(s.Command, "--bootstrap-server"), "kafka:"+inside)
		}
	}
	for _, s := range workers(p) {
		expect(s, "MILLRACE_KAFKA", env(s, "MILLRACE_KAFKA"), "kafka:"+inside)
		if _, ok := s.DependsOn["redis"]; ok {
			expect(s, "MILLRACE_REDIS", env(s, "MILLRACE_REDIS"), "redis:6379")
		}
		for _, port := range s.Ports {
			expect(s, "MILLRACE_ADMIN", env(s, "MILLRACE_ADMIN"), fmt.Sprintf("0.0.0.0:%d", port.Target))
		}
	}
	return f
}
