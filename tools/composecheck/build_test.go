package composecheck

import (
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// image is the folder in which the first test that needs them builds the binaries.
var image string

func TestMain(m *testing.M) {
	var err error
	if image, err = os.MkdirTemp("", "composecheck"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(image)
	os.Exit(code)
}

var buildOnce = sync.OnceValues(func() (Binaries, error) {
	out := filepath.Join(image, "out")
	return Binaries(out), build(filepath.Join(image, "src"), out)
})

func binaries(t *testing.T) Binaries {
	t.Helper()
	b, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// build runs the build of the Dockerfile in a folder that has what a container
// engine would copy: no .git, and nothing that .dockerignore leaves out.
func build(src, out string) error {
	text, err := os.ReadFile(root + "/Dockerfile")
	if err != nil {
		return err
	}
	command, err := ParseDockerfile(string(text)).Build(out)
	if err != nil {
		return err
	}
	if err := copyContext(src); err != nil {
		return err
	}
	c := exec.Command("sh", "-c", command)
	c.Dir, c.Env = src, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, out)
	}
	return nil
}

// copyContext copies what .dockerignore leaves of the repository.
func copyContext(dir string) error {
	file, err := os.Open(root + "/.dockerignore")
	if err != nil {
		return err
	}
	defer file.Close()
	patterns, err := ignorefile.ReadAll(file)
	if err != nil {
		return err
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if skip, err := ignored.MatchesOrParentMatches(rel); skip || err != nil {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, content, 0o644)
	})
}

// TestBuild looks at the binaries of the image: one for each command, static, and
// without paths of the machine that built it.
func TestBuild(t *testing.T) {
	built := binaries(t)
	if _, err := os.Stat(filepath.Join(image, "src", ".git")); err == nil {
		t.Error("the image is built with .git")
	}
	mains, err := filepath.Glob(root + "/cmd/*/main.go")
	if err != nil || len(mains) < 2 {
		t.Fatalf("the commands are %v: %v", mains, err)
	}
	for _, main := range mains {
		name := filepath.Base(filepath.Dir(main))
		file := filepath.Join(string(built), name)
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if settings["CGO_ENABLED"] != "0" || settings["-trimpath"] != "true" {
			t.Errorf("%s is built with %v", name, settings)
		}
		if f, err := elf.Open(file); err != nil {
			t.Error(err)
		} else if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 {
			t.Errorf("%s needs %v (%v)", name, libraries, err)
		}
	}
}

func TestBinaries(t *testing.T) {
	built, p := binaries(t), load(t, "")
	for _, finding := range append(built.Flags(t.Context(), p), built.Configs(t.Context(), p)...) {
		t.Error(finding)
	}
}

// mounts mounts a configuration that the worker is not started with, too.
func mounts(file string) func(*types.ServiceConfig) {
	return func(s *types.ServiceConfig) {
		beside := filepath.Join(s.Build.Context, file)
		s.Volumes = append(s.Volumes, types.ServiceVolumeConfig{Source: beside, Target: "/etc/millrace/other.yaml"})
	}
}

// TestBrokenBinaries makes mistakes that only the binaries notice.
func TestBrokenBinaries(t *testing.T) {
	built := binaries(t)
	for name, b := range map[string]broken{
		"misspelled flag":         {"flags", "", "projector", command("--config", "--konfig")},
		"misspelled flag of test": {"flags", "", "projector", inTest("--probe", "--prope")},
		"no such command":         {"flags", "", "projector", command("projector", "projektor")},
		"not mounted":             {"configs", "", "projector", command("shop.yaml", "other.yaml")},
		"no such file":            {"configs", "", "compactor", func(s *types.ServiceConfig) { s.Volumes[0].Source += "x" }},
		"another worker's":        {"configs", "", "compactor", mounts("examples/shop/shop.yaml")},
		"no schemas":              {"configs", "", "projector", setenv("MILLRACE_SCHEMAS", "/etc/millrace/schemata")},
		"bad address":             {"configs", "", "projector", setenv("MILLRACE_KAFKA", "kafka")},
		"bad admin address":       {"configs", "", "projector", setenv("MILLRACE_ADMIN", "8080")},
	} {
		p := load(t, b.profile)
		s := p.Services[b.service]
		b.mistake(&s)
		p.Services[b.service] = s
		rule := built.Flags
		if b.rule == "configs" {
			rule = built.Configs
		}
		if found := rule(t.Context(), p); len(found) != 1 {
			t.Errorf("%s: found %q", name, found)
		}
	}
}

func TestDockerfile(t *testing.T) {
	d, goMod := readDockerfile(t)
	for _, finding := range append(ParseDockerfile(d).Bases(goMod), ParseDockerfile(d).User()...) {
		t.Error(finding)
	}
	for name, broken := range map[string][2]string{
		"latest":       {"golang:1.26.8-alpine3.24", "golang:latest"},
		"minor":        {"golang:1.26.8-alpine3.24", "golang:1.26"},
		"old Go":       {"golang:1.26.8", "golang:1.25.9"},
		"another base": {"FROM scratch", "FROM alpine"},
		"no user":      {"USER 65532:65532\n", ""},
		"root":         {"USER 65532:65532", "USER 0"},
		"root by name": {"USER 65532:65532", "USER root"},
		"root group":   {"USER 65532:65532", "USER 65532:0"},
		"user of old":  {"FROM scratch", "USER 65532\nFROM scratch"},
	} {
		text := strings.Replace(d, broken[0], broken[1], 1)
		if name == "user of old" {
			text = strings.Replace(text, "USER 65532:65532\n", "", 1)
		}
		if text == d {
			t.Errorf("%s: the Dockerfile has no %q", name, broken[0])
		}
		if found := slices.Concat(ParseDockerfile(text).Bases(goMod), ParseDockerfile(text).User()); len(found) != 1 {
			t.Errorf("%s: found %q", name, found)
		}
	}
	if _, err := ParseDockerfile(strings.Replace(d, "go build", "go vet", 1)).Build("x"); err == nil {
		t.Error("a Dockerfile that builds nothing is run")
	}
}

// FuzzDockerfile reads anything: no rule panics.
func FuzzDockerfile(f *testing.F) {
	text, err := os.ReadFile(root + "/Dockerfile")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add("FROM golang:\nRUN \\\n# comment\nUSER")
	f.Fuzz(func(t *testing.T, text string) {
		d := ParseDockerfile(text)
		_, err := d.Build("out")
		t.Log(err, d.Bases("go 1.26.0"), d.User())
	})
}

func readDockerfile(t *testing.T) (text, goMod string) {
	t.Helper()
	d, err := os.ReadFile(root + "/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	m, err := os.ReadFile(root + "/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	return string(d), string(m)
}
