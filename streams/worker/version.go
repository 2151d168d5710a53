package worker

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// VersionLine is what --version prints of a binary: its name and what it was
// built from.
func VersionLine(name string) string { return readVersion("").line(name) }

// version is what a binary knows of its making.
type version struct{ number, commit, golang string }

// readVersion reads the build information. An empty number means that of the
// main module.
func readVersion(number string) version {
	v := version{number: number, commit: "unknown", golang: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		v.number = cmp.Or(v.number, "unknown")
		return v
	}
	v.number = cmp.Or(v.number, info.Main.Version, "(devel)")
	modified := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "-modified"
		}
	}
	v.commit += modified
	return v
}

func (v version) line(app string) string {
	return fmt.Sprintf("%s %s (commit %s, %s, %s/%s)", app, v.number, v.commit, v.golang, runtime.GOOS, runtime.GOARCH)
}
