package worker

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
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

// source returns the lines of the file.
func (f *File) source() [][]rune {
	if f.lines == nil {
		f.lines = splitLines(f.src)
	}
	return f.lines
}

// refused says whether the node at the place of a problem was refused.
func (f *File) refused(p streams.Problem) bool {
	for n := range f.failed {
		if n.Line == p.Line && n.Column == p.Column {
			return true
		}
	}
	return false
}

// column returns the column of a problem, or that of the scalar which it is in
// where the file has another text there.
func (f *File) column(p streams.Problem) int {
	n := f.scalarAt(p)
	if n == nil || p.Line > len(f.source()) {
		return p.Column
	}
	if p.Column > len(f.source()[p.Line-1])+1 {
		return n.Column
	}
	if _, from := f.find(n, 0); f.expanded[n] && p.Column > from {
		return n.Column
	}
	return p.Column
}

// scalarAt returns the last scalar that begins in the line of a problem and not
// behind it; nil where there is none.
func (f *File) scalarAt(p streams.Problem) (found *yaml.Node) {
	if f.scalars == nil {
		f.scalars = map[int][]*yaml.Node{}
		f.index(f.root)
	}
	for _, n := range f.scalars[p.Line] {
		if n.Column <= p.Column {
			found = n
		}
	}
	return found
}

// index sorts the scalars below n by the lines that they begin in.
func (f *File) index(n *yaml.Node) {
	if n == nil {
		return
	}
	if n.Kind == yaml.ScalarNode {
		f.scalars[n.Line] = append(f.scalars[n.Line], n)
	}
	for _, child := range n.Content {
		f.index(child)
	}
}
