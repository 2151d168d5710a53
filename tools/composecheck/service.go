package composecheck

import (
	"regexp"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
)

// pinned is an image with an exact version.
var pinned = regexp.MustCompile(`^[^:@]+:v?\d+\.\d+\.\d+(-[a-z0-9.]+)?(@sha256:[0-9a-f]{64})?$`)

// Images wants every image that is not built here by its exact version.
func Images(p *types.Project) []string {
	var f findings
	for _, s := range services(p) {
		if s.Build == nil && !pinned.MatchString(s.Image) {
			f.add("%s: image %q is not an exact version", s.Name, s.Image)
		}
	}
	return f
}

// keepsRunning says whether a service is started again when it ends; one that is
// not has done its work.
func keepsRunning(s types.ServiceConfig) bool { return s.Restart == types.RestartPolicyUnlessStopped }

// Restarts wants every service to say that it keeps running, or that it does not.
func Restarts(p *types.Project) []string {
	var f findings
	for _, s := range services(p) {
		if !keepsRunning(s) && s.Restart != types.RestartPolicyNo {
			f.add("%s: restart is %q, neither unless-stopped nor no", s.Name, s.Restart)
		}
	}
	return f
}

// Health wants a health check of every service that keeps running, with all of its
// times, and none of the others.
func Health(p *types.Project) []string {
	var f findings
	for _, s := range services(p) {
		h := s.HealthCheck
		switch {
		case !keepsRunning(s):
			if h != nil {
				f.add("%s: it runs once, and has a health check", s.Name)
			}
		case h == nil || h.Disable || len(h.Test) < 2 || h.Test[0] == "NONE":
			f.add("%s: it keeps running, and has no health check", s.Name)
		case h.Interval == nil || h.Timeout == nil || h.Retries == nil || h.StartPeriod == nil:
			f.add("%s: its health check leaves interval, timeout, retries or start_period to the engine", s.Name)
		}
	}
	return f
}

// Ports wants every port published on this machine only.
func Ports(p *types.Project) []string {
	var f findings
	for _, s := range services(p) {
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				f.add("%s: port %s is published on %q, which others reach", s.Name, port.Published, port.HostIP)
			}
		}
	}
	return f
}

// Dependencies wants services to wait for what they need: until it is healthy or,
// where it runs once, until it is done.
func Dependencies(p *types.Project) []string {
	var f findings
	for _, s := range services(p) {
		for name, d := range s.DependsOn {
			on, err := p.GetService(name)
			if err != nil {
				if _, err := p.GetDisabledService(name); err != nil || d.Required {
					f.add("%s: it needs %s, which does not run", s.Name, name)
				}
				continue
			}
			want := types.ServiceConditionCompletedSuccessfully
			if keepsRunning(on) {
				want = types.ServiceConditionHealthy
			}
			if d.Condition != want {
				f.add("%s: it waits for %s until %s, not until %s", s.Name, name, d.Condition, want)
			}
		}
	}
	return f
}

// Privileges wants no service to gain any, and our own to have none, and nothing
// to write to.
func Privileges(p *types.Project) []string {
	var f findings
	for _, s := range services(p) {
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged {
			f.add("%s: it may gain privileges", s.Name)
		}
	}
	for _, s := range workers(p) {
		if !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0 {
			f.add("%s: it has capabilities", s.Name)
		}
		if !s.ReadOnly {
			f.add("%s: its root file system can be written to", s.Name)
		}
		for _, v := range s.Volumes {
			if !v.ReadOnly {
				f.add("%s: %s can be written to", s.Name, v.Target)
			}
		}
	}
	return f
}
