package rules

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// place is a line and a column of the configuration file, both from 1.
type place struct{ line, column int }

func placeOf(n *yaml.Node) place { return place{n.Line, n.Column} }

// String returns line:column.
func (p place) String() string { return fmt.Sprintf("%d:%d", p.line, p.column) }

// problems collects what is wrong.
type problems struct{ all []streams.Problem }

func (p *problems) add(at place, format string, args ...any) {
	p.all = append(p.all, streams.Problem{Line: at.line, Column: at.column, Message: fmt.Sprintf(format, args...)})
}

// sorted returns the problems in the order of the file, each once: a row key of
// the view is checked for each rule that uses it.
func (p *problems) sorted() []streams.Problem {
	slices.SortStableFunc(p.all, func(a, b streams.Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	p.all = slices.Compact(p.all)
	return p.all
}

// meant returns ", did you mean x?" where a candidate is near to the name, and
// else the text otherwise.
func meant(name string, candidates []string, otherwise string) string {
	if near := streams.Nearest(name, candidates); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return otherwise
}

// entry is one key of a mapping with its value.
type entry struct {
	key, value *yaml.Node
}

func (e entry) name() string { return e.key.Value }

// entries returns the keys of a mapping in their order. What is not a mapping,
// a key that is not text, a key that comes twice, and the remains of an
// expression that flow style has cut are problems and left out.
func (p *parser) entries(n *yaml.Node, what string) []entry {
	n = p.resolve(n)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		p.add(placeOf(n), "%s must be a mapping of keys to values, not %s", what, kindOf(n))
		return nil
	}
	var list []entry
	seen := map[string]place{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		e := entry{p.resolve(n.Content[i]), p.resolve(n.Content[i+1])}
		if e.key == nil || e.value == nil {
			return list
		}
		if !p.usableKey(e.key, seen) {
			continue
		}
		if n.Style&yaml.FlowStyle != 0 && cutByFlow(e.value) {
			p.add(placeOf(e.value), "the comma ends this expression in flow style; quote expressions: \"=max(a, b)\"")
			return list
		}
		list = append(list, e)
	}
	return list
}

func (p *parser) usableKey(key *yaml.Node, seen map[string]place) bool {
	if key.Kind != yaml.ScalarNode {
		p.add(placeOf(key), "a key must be text, not %s", kindOf(key))
		return false
	}
	if key.ShortTag() == "!!merge" {
		p.add(placeOf(key), "merge keys are not supported; repeat the keys, or use an alias for a whole value")
		return false
	}
	if first, twice := seen[key.Value]; twice {
		p.add(placeOf(key), "%s is here twice; the first is at %v", key.Value, first)
		return false
	}
	seen[key.Value] = placeOf(key)
	return true
}

// cutByFlow says whether n is an expression that a comma of flow style has cut:
// plain, with a bracket that is not closed.
func cutByFlow(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && plain(n) && strings.HasPrefix(n.Value, "=") &&
		strings.Count(n.Value, "(")+strings.Count(n.Value, "[") > strings.Count(n.Value, ")")+strings.Count(n.Value, "]")
}

// plain says whether a scalar stands there without quotes.
func plain(n *yaml.Node) bool {
	return n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
}

// resolve follows aliases, and counts: nil once there are more than maxYAML
// nodes, which it reports.
func (p *parser) resolve(n *yaml.Node) *yaml.Node {
	at := n
	for n.Kind == yaml.AliasNode && n.Alias != nil && p.seen <= maxYAML {
		p.seen++
		n = n.Alias
	}
	if p.seen++; p.seen <= maxYAML {
		return n
	}
	if !p.tooLarge {
		p.tooLarge = true
		p.all = nil // the rest would only be noise
		p.add(placeOf(at), "the %s has more than %d nodes, aliases expanded", p.what, maxYAML)
	}
	return nil
}

// maxYAML bounds what aliases can expand to.
const maxYAML = 50_000

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if n.ShortTag() == "!!null" {
			return "nothing"
		}
		return fmt.Sprintf("%q", n.Value)
	}
	return "a document"
}

// text returns the value of a scalar that must be text.
func (p *parser) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		p.add(placeOf(n), "%s must be text, not %s", what, kindOf(n))
		return "", false
	}
	return n.Value, true
}

// list returns the elements of a list.
func (p *parser) list(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		p.add(placeOf(n), "%s must be a list, not %s", what, kindOf(n))
		return nil
	}
	var out []*yaml.Node
	for _, c := range n.Content {
		c = p.resolve(c)
		if c == nil {
			return out
		}
		if n.Style&yaml.FlowStyle != 0 && cutByFlow(c) {
			p.add(placeOf(c), "the comma ends this expression in flow style; quote expressions: \"=max(a, b)\"")
			return out
		}
		out = append(out, c)
	}
	return out
}
