package composecheck

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// Load loads docker-compose.yml of a folder as docker compose does: with these
// profiles, or those of .env where there are none.
func Load(ctx context.Context, root string, profiles ...string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "docker-compose.yml")},
		cli.WithWorkingDirectory(root), cli.WithEnvFiles(), cli.WithDotEnv, cli.WithDefaultProfiles(profiles...))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", root, err)
	}
	p, err := options.LoadProject(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading docker-compose.yml: %w", err)
	}
	return p, nil
}

// findings are what a rule has found.
type findings []string

func (f *findings) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// services returns the services of a project by name, in order.
func services(p *types.Project) []types.ServiceConfig {
	var all []types.ServiceConfig
	for _, name := range p.ServiceNames() {
		all = append(all, p.Services[name])
	}
	return all
}

// workers returns the services that run our image.
func workers(p *types.Project) []types.ServiceConfig {
	return slices.DeleteFunc(services(p), func(s types.ServiceConfig) bool { return s.Build == nil })
}

// env returns a variable of a service, or nothing.
func env(s types.ServiceConfig, name string) string {
	if value := s.Environment[name]; value != nil {
		return *value
	}
	return ""
}

// flag returns the value of --name=value or --name value in a command.
func flag(command []string, name string) string {
	for i, arg := range command {
		if value, ok := strings.CutPrefix(arg, name+"="); ok {
			return value
		}
		if arg == name && i+1 < len(command) {
			return command[i+1]
		}
	}
	return ""
}
