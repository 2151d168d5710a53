package worker

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// secretWords are parts of the names of keys whose values are never shown,
// whether or not this program knows the key.
var secretWords = regexp.MustCompile(`(?i)passw|passphrase|secret|token|credential|private_?key`)

// reference matches a value that names a secret without holding it.
// A quoted one may have something behind it: between brackets, the next value.
var reference = regexp.MustCompile(`^(["']?)\$\{(?:[A-Za-z_][A-Za-z0-9_]*|file:[^}"']*)\}(?:["']?\s*$|["']\s*[,}\]])`)

// keys finds what may be a key and its colon in a line of YAML.
var keys = regexp.MustCompile(`([\w.-]+)["']?\s*:(?:\s|$|["'])`)

// explicitValue finds the value of a key that has a line of its own.
var explicitValue = regexp.MustCompile(`^\s*:(?:\s|$)`)

// redaction hides the values of secrets in the lines of a source.
type redaction struct {
	lines []shownLine
	names []string // of settings that are secrets
}

// redact returns the lines of src as they may be shown. Where there is no tree,
// because src is not YAML, it guesses and rather hides too much.
func redact(src []byte, root *yaml.Node, names []string) []shownLine {
	r := redaction{names: names}
	for _, text := range splitLines(src) {
		r.lines = append(r.lines, shownLine{text: text})
	}
	if root != nil {
		r.tree(root)
		return r.lines
	}
	for i := range r.lines {
		r.guess(i)
	}
	return r.lines
}

// isSecret says whether key names a secret, also when it is misspelled.
func (r *redaction) isSecret(key string) bool {
	return secretWords.MatchString(key) || streams.Nearest(key, r.names) != ""
}

func (r *redaction) tree(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		for _, child := range n.Content {
			r.tree(child)
		}
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key, value := n.Content[i], n.Content[i+1]; r.isSecret(key.Value) {
			r.hideAll(key, value)
		} else {
			r.tree(key)
			r.tree(value)
		}
	}
}

// hideAll hides the scalars in the value of a key. Keys are among them: a secret
// that is not quoted can look like a mapping.
func (r *redaction) hideAll(key, value *yaml.Node) {
	for _, child := range value.Content {
		r.hideAll(key, child)
	}
	if value.Kind == yaml.ScalarNode || value.Kind == yaml.AliasNode {
		r.hideNode(key, value)
	}
}

// hideNode hides a scalar value. Its key tells where its block ends.
func (r *redaction) hideNode(key, value *yaml.Node) {
	if value.Line > 0 && value.Line <= len(r.lines) && value.Column > 0 {
		r.hideFrom(value.Line-1, value.Column-1, max(0, key.Column-1))
	}
}

// guess hides what follows keys of secrets in a line that could not be parsed.
func (r *redaction) guess(i int) {
	text := string(r.lines[i].text)
	if at := explicitValue.FindStringIndex(text); at != nil {
		r.hideFrom(i, at[1], 0)
	}
	for _, m := range keys.FindAllStringSubmatchIndex(text, -1) {
		if !r.isSecret(text[m[2]:m[3]]) {
			continue
		}
		from := m[2]
		if from > 0 && strings.IndexByte(`"'`, text[from-1]) >= 0 {
			from--
		}
		colon := m[3] + strings.IndexByte(text[m[3]:], ':')
		r.hideFrom(i, len([]rune(text[:colon+1])), len([]rune(text[:from])))
	}
}

// hideFrom hides the value that begins at that character of line i, or after
// spaces. Lines below that are indented deeper than its key belong to it.
func (r *redaction) hideFrom(i, at, indent int) {
	line := &r.lines[i]
	for at < len(line.text) && isSpace(line.text[at]) {
		at++
	}
	if at >= len(line.text) {
		r.hideBelow(i+1, indent)
		return
	}
	value := string(line.text[at:])
	switch {
	case reference.MatchString(value):
	case value[0] == '"' || value[0] == '\'':
		r.hideQuoted(i, at, line.text[at])
	case strings.ContainsAny(string(line.text[:at]), "{["):
		if end := strings.IndexAny(value, ",}]"); end >= 0 {
			line.hide(at, at+len([]rune(value[:end])))
			return
		}
		fallthrough
	default:
		line.hide(at, len(line.text))
		r.hideBelow(i+1, indent)
	}
}

func (r *redaction) hideBelow(i, indent int) {
	for ; i < len(r.lines); i++ {
		line := &r.lines[i]
		from := 0
		for from < len(line.text) && isSpace(line.text[from]) {
			from++
		}
		if from < len(line.text) && from <= indent {
			return
		}
		line.hide(from, len(line.text))
	}
}

// hideQuoted hides up to the closing quote, over lines where it must.
func (r *redaction) hideQuoted(i, at int, quote rune) {
	for from := at + 1; i < len(r.lines); i, at, from = i+1, 0, 0 {
		line := &r.lines[i]
		for j := from; j < len(line.text); j++ {
			switch c := line.text[j]; {
			case quote == '"' && c == '\\':
				j++
			case quote == '\'' && c == quote && j+1 < len(line.text) && line.text[j+1] == quote:
				j++
			case c == quote:
				line.hide(at, j+1)
				return
			}
		}
		line.hide(at, len(line.text))
	}
}

func isSpace(r rune) bool { return r == ' ' || r == '\t' }
