package worker

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// typographic matches an expression in quotes that only look like some.
var typographic = regexp.MustCompile("^[" + typographicQuotes + "]=")

const typographicQuotes = "“”„‟‘’‚‛«»"

// prepare replaces the variables in the values below n and refuses what the
// format leaves out: anchors, aliases, merge keys, tags, keys that are no text.
func (f *File) prepare(n *yaml.Node, v variables) {
	switch {
	case n.Kind == yaml.AliasNode:
		f.fail(n, "aliases are not supported; write the value out, and quote a text that begins with '*'")
		// whoever reads the rules later must not meet the alias
		n.Kind, n.Alias, n.Value, n.Tag = yaml.ScalarNode, nil, "", "!!null"
	case n.Anchor != "":
		f.fail(n, "anchors are not supported; write the value out where it is needed, and quote a text that begins with '&'")
	case n.Style&yaml.TaggedStyle != 0:
		f.fail(n, "tags are not supported; quote a text that begins with '!', or that must not be read as a number")
	case n.Kind == yaml.ScalarNode && typographic.MatchString(n.Value) && n.Style == 0:
		f.fail(n, "typographic quotes are no quotes to YAML; write \"")
		// whoever reads the rules later must not complain of what follows from it
		n.Value = strings.Trim(n.Value, typographicQuotes)
	case n.Kind == yaml.ScalarNode:
		f.expand(n, v)
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			f.prepareKey(child)
			continue
		}
		f.prepare(child, v)
	}
}

func (f *File) prepareKey(n *yaml.Node) {
	switch {
	case n.Kind != yaml.ScalarNode:
		f.fail(n, "a key must be a text, not %s", kindOf(n))
	case n.Anchor != "" || n.Style&yaml.TaggedStyle != 0:
		f.fail(n, "anchors and tags are not supported; quote the key")
	case n.Tag == "!!merge":
		f.fail(n, "merge keys are not supported; write the settings out")
	case strings.Contains(n.Value, "${"):
		f.fail(n, "variables are not replaced in keys; write the name itself")
	}
}

// fail adds a problem of a node, which is then not decoded.
func (f *File) fail(n *yaml.Node, format string, args ...any) {
	f.failed[n] = true
	f.add(n, format, args...)
}

// expand replaces the variables in a scalar.
func (f *File) expand(n *yaml.Node, v variables) {
	e, errs := v.expand(n.Value)
	for _, s := range e.secrets {
		f.keep(s)
	}
	for _, err := range errs {
		f.failed[n] = true
		line, column := f.find(n, err.nth)
		f.append(streams.Problem{Line: line, Column: column, Message: err.reason})
	}
	if !e.changed || len(errs) > 0 {
		return
	}
	if len(e.secrets) > 0 {
		f.keep(e.text)
		f.tainted[n] = true
	}
	f.expanded[n] = true
	n.Value = e.text
	n.Tag = "!!str"
	if n.Style == 0 {
		n.Tag = tagOf(e.text)
	}
}

var (
	wholeNumber = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`)
	realNumber  = regexp.MustCompile(`^[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`)
)

// tagOf says what YAML takes a text for that is not quoted, among the types
// that rules know. It never says null: an empty variable is an empty text.
func tagOf(text string) string {
	switch {
	case text == "true" || text == "false":
		return "!!bool"
	case wholeNumber.MatchString(text):
		return "!!int"
	case realNumber.MatchString(text):
		return "!!float"
	}
	return "!!str"
}

// find returns the place of the nth "${" behind the start of a node.
func (f *File) find(n *yaml.Node, nth int) (line, column int) {
	lines, from := f.source(), n.Column-1
	for i := n.Line - 1; i >= 0 && i < len(lines); i, from = i+1, 0 {
		for j := max(0, from); j+1 < len(lines[i]); j++ {
			if lines[i][j] != '$' || lines[i][j+1] != '{' {
				continue
			}
			if nth == 0 {
				return i + 1, j + 1
			}
			nth--
		}
	}
	return n.Line, n.Column
}
