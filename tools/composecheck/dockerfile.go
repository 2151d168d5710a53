package composecheck

import (
	"fmt"
	"go/version"
	"regexp"
	"slices"
	"strings"
)

// Dockerfile is what it consists of, in order.
type Dockerfile []Instruction

// Instruction is one of them: FROM, and what stands behind it.
type Instruction struct{ Name, Args string }

var (
	continued = regexp.MustCompile(`\\\n\s*`)
	comment   = regexp.MustCompile(`(?m)^\s*#.*\n`)
	mount     = regexp.MustCompile(`--mount=\S+\s+`)
)

// ParseDockerfile reads the instructions of a Dockerfile that has neither heredocs
// nor parser directives.
func ParseDockerfile(text string) Dockerfile {
	var d Dockerfile
	for line := range strings.Lines(continued.ReplaceAllString(comment.ReplaceAllString(text, ""), " ")) {
		if name, args, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			d = append(d, Instruction{strings.ToUpper(name), strings.TrimSpace(args)})
		}
	}
	return d
}

// all returns the arguments of all instructions of a name.
func (d Dockerfile) all(name string) (args []string) {
	for _, i := range d {
		if i.Name == name {
			args = append(args, i.Args)
		}
	}
	return args
}

// last returns the last stage, which becomes the image.
func (d Dockerfile) last() Dockerfile {
	for i, instruction := range slices.Backward(d) {
		if instruction.Name == "FROM" {
			return d[i:]
		}
	}
	return nil
}

// Build returns the shell command that builds the binaries into the folder out.
func (d Dockerfile) Build(out string) (string, error) {
	for _, run := range d.all("RUN") {
		if strings.Contains(run, "go build") && strings.Contains(run, " -o /out/ ") {
			return strings.Replace(mount.ReplaceAllString(run, ""), " -o /out/ ", fmt.Sprintf(" -o '%s/' ", out), 1), nil
		}
	}
	return "", fmt.Errorf("no RUN of the Dockerfile is a go build into /out/")
}

// Bases wants every base image by its exact version, and a Go that is not older
// than the one that go.mod asks for.
func (d Dockerfile) Bases(goMod string) []string {
	var f findings
	stages := map[string]bool{"scratch": true}
	for _, from := range d.all("FROM") {
		image, stage, _ := strings.Cut(from, " AS ")
		switch _, tag, ok := strings.Cut(image, "golang:"); {
		case stages[image]:
		case !pinned.MatchString(image):
			f.add("base image %q is not an exact version", image)
		case ok:
			have, _, _ := strings.Cut(tag, "-")
			if want := goDirective.FindStringSubmatch(goMod); version.Compare("go"+have, "go"+want[1]) < 0 {
				f.add("it builds with Go %s, and go.mod wants %s", have, want[1])
			}
		}
		stages[stage] = true
	}
	return f
}

var goDirective = regexp.MustCompile(`(?m)^go (\S+)$`)

var user = regexp.MustCompile(`^[1-9]\d*(:[1-9]\d*)?$`)

// User wants the image to run as a user by number who is not root: orchestrators
// cannot tell by a name.
func (d Dockerfile) User() []string {
	users := d.last().all("USER")
	if len(users) == 0 || !user.MatchString(users[len(users)-1]) {
		return []string{fmt.Sprintf("the image runs as %q, want a number that is not 0", users)}
	}
	return nil
}
