package rules

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// parser reads the YAML of one view.
type parser struct {
	problems
	view     *View
	seen     int
	tooLarge bool
}

var (
	viewKeys = []string{"name", "version", "topics", "key", "on_error", "rows", "on"}
	viewSoon = []string{"tests", "kind", "shards", "cutover"}
	ruleKeys = []string{"when", "key", "set", "unset", "add", "min", "max", "latest", "delete"}
	ruleSoon = []string{"collect", "remove"}
)

// Parse reads one entry of projector.views. It returns everything that is wrong
// with its form; what expressions mean is checked by [View.Compile]. A view with
// problems may still be compiled, to find the other problems too; it is nil
// where there is nothing to compile.
func Parse(node *yaml.Node) (*View, []streams.Problem) {
	if node == nil {
		return nil, []streams.Problem{{Line: 1, Column: 1, Message: "the view is empty"}}
	}
	p := &parser{}
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		node = node.Content[0]
	}
	if n := p.resolve(node); n == nil || n.Kind != yaml.MappingNode {
		p.add(placeOf(node), "a view must be a mapping with name, topics, key, on_error and on, not %s", kindOf(node))
		return nil, p.all
	}
	p.view = &View{Version: 1, at: placeOf(node)}
	entries := p.entries(node, "a view")
	given := map[string]bool{}
	for _, e := range entries {
		given[e.name()] = true
		p.viewEntry(e)
	}
	if p.tooLarge {
		return nil, p.all[:1]
	}
	p.required(given)
	p.view.broken = len(p.all) > 0
	return p.view, p.sorted()
}

func (p *parser) required(given map[string]bool) {
	hints := []struct{ key, hint string }{
		{"name", "give the view a name of lower-case letters, digits and dashes"},
		{"topics", "name the topics that the view reads: topics: [fines]"},
		{"on_error", "write on_error: stop, the only value so far: a record that cannot be applied stops its partition"},
		{"on", "say which rules apply to which event type"},
	}
	for _, h := range hints {
		if !given[h.key] {
			p.add(p.view.at, "%s is missing; %s", h.key, h.hint)
		}
	}
}

func (p *parser) viewEntry(e entry) {
	switch e.name() {
	case "name":
		p.name(e.value)
	case "version":
		p.version(e.value)
	case "topics":
		p.topics(e.value)
	case "key":
		if p.scalar(e.value, "key") {
			p.view.key = e.value
		}
	case "on_error":
		p.onError(e.value)
	case "rows":
		p.rows(e.value)
	case "on":
		p.on(e.value)
	default:
		p.unknown(e.key, "a view", viewKeys, viewSoon)
	}
}

// unknown reports a key that there is not, or not yet.
func (p *parser) unknown(key *yaml.Node, where string, known, soon []string) {
	for _, s := range soon {
		if key.Value == s {
			p.add(placeOf(key), "%s is not supported yet", s)
			return
		}
	}
	p.add(placeOf(key), "%s has no key %q%s", where, key.Value,
		meant(key.Value, known, "; it has "+strings.Join(known, ", ")))
}

func (p *parser) name(n *yaml.Node) {
	name, ok := p.text(n, "name")
	if !ok {
		return
	}
	p.view.at = placeOf(n)
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		p.add(placeOf(n), "name %q must consist of lower-case letters, digits and dashes", name)
		return
	}
	p.view.Name = name
}

func (p *parser) version(n *yaml.Node) {
	v, err := strconv.ParseInt(n.Value, 10, 32)
	if n.Kind != yaml.ScalarNode || err != nil || v < 1 {
		p.add(placeOf(n), "version must be a whole number from 1, not %s", kindOf(n))
		return
	}
	p.view.Version = int(v)
}

func (p *parser) topics(n *yaml.Node) {
	list := p.list(n, "topics")
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.add(placeOf(n), "topics is empty; name at least one")
	}
	seen := map[string]bool{}
	for _, t := range list {
		name, ok := p.text(t, "a topic")
		switch {
		case !ok:
		case !topicName(name):
			p.add(placeOf(t), "%q cannot be the name of a topic: letters, digits, '.', '_' and '-', at most 249", name)
		case seen[name]:
			p.add(placeOf(t), "topic %s is here twice", name)
		default:
			seen[name] = true
			p.view.Topics = append(p.view.Topics, name)
		}
	}
}

func topicName(s string) bool {
	for _, c := range []byte(s) {
		if !letter(c) && !digit(c) && c != '.' && c != '-' {
			return false
		}
	}
	return s != "" && s != "." && s != ".." && len(s) <= 249
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// letter says whether c can begin the name of a field.
func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func (p *parser) onError(n *yaml.Node) {
	switch n.Value {
	case "stop":
		p.view.OnError = "stop"
	case "park":
		p.add(placeOf(n), "on_error: park is not supported yet; write stop")
	default:
		p.add(placeOf(n), "on_error must be stop, not %s", kindOf(n))
	}
}

func (p *parser) rows(n *yaml.Node) {
	switch n.Value {
	case "hash":
	case "set", "sorted":
		p.add(placeOf(n), "rows: %s is not supported yet; write hash, or leave it out", n.Value)
	default:
		p.add(placeOf(n), "rows must be hash, not %s", kindOf(n))
	}
}

// scalar says whether n is an expression or a literal, not a list or a mapping.
func (p *parser) scalar(n *yaml.Node, what string) bool {
	switch n.Kind {
	case yaml.ScalarNode:
		return true
	case yaml.SequenceNode:
		p.add(placeOf(n), "%s must be one value; write a tuple as an expression in quotes: \"=[a, b]\"", what)
	default:
		p.add(placeOf(n), "%s must be one value, not %s; quote expressions", what, kindOf(n))
	}
	return false
}
