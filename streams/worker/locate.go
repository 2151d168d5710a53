package worker

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// location is where a path leads in the file.
type location struct {
	line, column int
	// node is the value that was found, in the mapping or list "in".
	node, in *yaml.Node
	// rest is what of the path is not there.
	rest string
}

// locate follows a path such as topics.fines.partitioner or kafka.brokers[0]. A
// key may contain dots; the longest one that fits is taken.
func (f *File) locate(path string) location {
	at := location{line: 1, column: 1, node: f.root, rest: path}
	e := entry{value: f.root}
	for at.rest != "" && e.value != nil {
		next, rest := step(e.value, at.rest)
		if next.value == nil {
			break
		}
		at.in, at.node, at.rest, e = e.value, next.value, rest, next
	}
	if at.in != nil {
		place := e.place()
		at.line, at.column = place.Line, place.Column
	}
	return at
}

// step takes the first part of a path.
func step(n *yaml.Node, path string) (next entry, rest string) {
	path = strings.TrimPrefix(path, ".")
	if n.Kind == yaml.SequenceNode {
		index, rest, ok := strings.Cut(strings.TrimPrefix(path, "["), "]")
		if i, err := strconv.Atoi(index); ok && err == nil && i >= 0 && i < len(n.Content) {
			return entry{value: n.Content[i]}, rest
		}
		return entry{}, path
	}
	longest := -1
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		after, ok := strings.CutPrefix(path, n.Content[i].Value)
		ends := after == "" || after[0] == '.' || after[0] == '['
		if name := n.Content[i].Value; ok && ends && len(name) > longest {
			longest = len(name)
			next, rest = entry{key: n.Content[i], value: n.Content[i+1]}, after
		}
	}
	return next, rest
}

// doubtful says whether a problem at that place would only repeat one that is
// there: of the value, of something in it, or of the misspelled key of it.
func (f *File) doubtful(at location) bool {
	missing := strings.TrimPrefix(at.rest, ".")
	if end := strings.IndexAny(missing, ".["); end >= 0 {
		missing = missing[:end]
	}
	if f.explained[absence{at.node, missing}] {
		return true
	}
	return at.rest == "" && f.hasFailed(at.node) || f.failed[at.node]
}

func (f *File) hasFailed(n *yaml.Node) bool {
	if n == nil || f.failed[n] {
		return n != nil
	}
	for _, child := range n.Content {
		if f.hasFailed(child) {
			return true
		}
	}
	return false
}
