package worker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// File is a configuration file and everything that was found wrong with it so
// far. It is not safe for concurrent use.
type File struct {
	// Name is the name of the file as it was given.
	Name string

	src       []byte
	lines     [][]rune             // of src, once they were needed
	scalars   map[int][]*yaml.Node // by the lines that they begin in, once they were needed
	root      *yaml.Node           // nil where the file is empty or not YAML
	names     []string             // of settings that are secrets
	secrets   []string             // values that no message may hold
	failed    map[*yaml.Node]bool  // what has a problem already
	expanded  map[*yaml.Node]bool  // in what variables were replaced
	tainted   map[*yaml.Node]bool  // what came from a file
	explained map[absence]bool     // what has a problem that tells why
	read      map[string]bool      // the blocks that were decoded
	variables variables
	problems  []streams.Problem
}

// absence is a key that a mapping does not have.
type absence struct {
	in  *yaml.Node
	key string
}

// Add adds problems that somebody else found in the file, in the rules for
// instance. Secrets in their messages are redacted. A problem of what the file
// was refused for already is left out. One within a scalar that is not in the
// file as it was read, since variables were replaced or lines joined, is shown
// where the scalar begins.
func (f *File) Add(problems ...streams.Problem) {
	for _, p := range problems {
		if !f.refused(p) {
			p.Column = f.column(p)
			f.append(p)
		}
	}
}

func (f *File) append(p streams.Problem) {
	p.Message = f.scrub(p.Message)
	f.problems = append(f.problems, p)
}

// Problemf adds a problem at the setting that the path names: "schemas.folder",
// "kafka.brokers[0]". Where the setting is left out, the place is the innermost
// key of the path that is there.
func (f *File) Problemf(path, format string, args ...any) {
	at := f.locate(path)
	f.append(streams.Problem{Line: at.line, Column: at.column, Message: fmt.Sprintf(format, args...)})
}

// Has says whether the file has that block.
func (f *File) Has(block string) bool {
	return lookUp(f.root, block) != nil
}

// Peek returns the items of a list in a block that is for another worker, with
// their variables replaced; none where there is no such list. What is wrong with
// them is for that worker to tell.
func (f *File) Peek(block, list string) []*yaml.Node {
	items := lookUp(lookUp(f.root, block), list)
	if items == nil || items.Kind != yaml.SequenceNode {
		return nil
	}
	if f.read[block] { // by another worker in this process
		return items.Content
	}
	theirs := &File{src: f.src, failed: map[*yaml.Node]bool{}, expanded: map[*yaml.Node]bool{}, tainted: map[*yaml.Node]bool{}}
	items = clone(items)
	theirs.prepare(items, f.variables)
	for _, s := range theirs.secrets {
		f.keep(s)
	}
	return items.Content
}

// clone copies a node and all below it.
func clone(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = clone(child)
	}
	return &c
}

// Err returns a [*Problems], nil where nothing is wrong.
func (f *File) Err() error {
	if len(f.problems) == 0 {
		return nil
	}
	return &Problems{File: f.Name, List: sortProblems(f.problems), lines: redact(f.src, f.root, f.names)}
}

// minScrubbed is the length from which a secret is looked for in messages that
// other packages wrote. A shorter one would garble every message and be told by
// that.
const minScrubbed = 4

// keep remembers a secret, so that no message will hold it.
func (f *File) keep(secret string) {
	for _, line := range append(strings.Split(secret, "\n"), secret) {
		quoted := strconv.Quote(line)
		for _, s := range []string{strings.TrimSpace(line), quoted[1 : len(quoted)-1]} {
			if len(s) >= minScrubbed && !slices.Contains(f.secrets, s) {
				f.secrets = append(f.secrets, s)
			}
		}
	}
	// the longer ones first: one may be a part of another
	slices.SortStableFunc(f.secrets, func(a, b string) int { return len(b) - len(a) })
}

func (f *File) scrub(message string) string {
	for _, s := range f.secrets {
		message = strings.ReplaceAll(message, s, streams.Redacted)
	}
	return message
}

// add adds a problem of this package. Its message holds no secret.
func (f *File) add(n *yaml.Node, format string, args ...any) {
	f.append(problemAt(n, format, args...))
}

// lookUp returns a value of a mapping; nil where there is none.
func lookUp(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name && n.Content[i].Kind == yaml.ScalarNode {
			return n.Content[i+1]
		}
	}
	return nil
}
