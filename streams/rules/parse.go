package rules

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// parser reads the YAML of one view or fold.
type parser struct {
	problems
	what     string // "view" or "fold"
	at       place  // of its name, or of it where it has none
	form     *form  // of its rules
	seen     int
	tooLarge bool
}

// mapping returns the keys of what is read; false where it is no mapping.
func (p *parser) mapping(node *yaml.Node, with string) ([]entry, bool) {
	if node == nil {
		p.add(place{1, 1}, "the %s is empty", p.what)
		return nil, false
	}
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		node = node.Content[0]
	}
	p.at = placeOf(node)
	if n := p.resolve(node); n == nil || n.Kind != yaml.MappingNode {
		p.add(p.at, "a %s must be a mapping with %s, not %s", p.what, with, kindOf(node))
		return nil, false
	}
	return p.entries(node, "a "+p.what), true
}

// hint says what to write for a key that is missing.
type hint struct{ key, hint string }

func (p *parser) required(entries []entry, hints []hint) {
	for _, h := range hints {
		if !has(entries, h.key) {
			p.add(p.at, "%s is missing; %s", h.key, h.hint)
		}
	}
}

func has(entries []entry, key string) bool {
	return slices.ContainsFunc(entries, func(e entry) bool { return e.name() == key })
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

// name reads the name of what is read. Its problems stand there from now on.
func (p *parser) name(n *yaml.Node) string {
	name, ok := p.text(n, "name")
	if !ok {
		return ""
	}
	p.at = placeOf(n)
	if !plainName(name) {
		p.add(placeOf(n), "name %q must consist of lower-case letters, digits and dashes", name)
		return ""
	}
	return name
}

// plainName says whether s consists of what names may have.
func plainName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func (p *parser) version(n *yaml.Node) int {
	v, err := strconv.ParseInt(n.Value, 10, 32)
	if n.Kind != yaml.ScalarNode || err != nil || v < 1 {
		p.add(placeOf(n), "version must be a whole number from 1, not %s", kindOf(n))
		return 1
	}
	return int(v)
}

// topic reads the name of a topic; empty where it is none.
func (p *parser) topic(n *yaml.Node, what string) string {
	name, ok := p.text(n, what)
	if ok && !topicName(name) {
		p.add(placeOf(n), "%q cannot be the name of a topic: letters, digits, '.', '_' and '-', at most 249", name)
		return ""
	}
	return name
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

func (p *parser) onError(n *yaml.Node) string {
	switch n.Value {
	case "stop":
		return "stop"
	case "park":
		p.add(placeOf(n), "on_error: park is not supported yet; write stop")
	default:
		p.add(placeOf(n), "on_error must be stop, not %s", kindOf(n))
	}
	return ""
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
