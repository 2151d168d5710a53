package rules

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/file"
	"go.yaml.in/yaml/v4"
)

// source is the text of one expression and where it stands.
type source struct {
	text string // without the =
	node *yaml.Node
}

// expression returns the expression that a scalar holds, and whether it does.
func expression(n *yaml.Node) (source, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" ||
		!strings.HasPrefix(n.Value, "=") || strings.HasPrefix(n.Value, "==") {
		return source{}, false
	}
	return source{n.Value[1:], n}, true
}

// literalText returns the text of a literal: a first = of two is dropped.
func literalText(n *yaml.Node) string {
	if strings.HasPrefix(n.Value, "==") {
		return n.Value[1:]
	}
	return n.Value
}

// place returns where a character of the expression stands in the file. It is
// exact where the scalar stands on one line; of a double-quoted one, escapes other
// than \" and \\ are taken for one column. In a block scalar it is where the
// scalar begins.
func (s source) place(at file.Location) place {
	p := placeOf(s.node)
	if s.node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.Contains(s.text, "\n") {
		return p
	}
	twice := ""
	switch {
	case s.node.Style&yaml.DoubleQuotedStyle != 0:
		twice = `"\`
		p.column++
	case s.node.Style&yaml.SingleQuotedStyle != 0:
		twice = `'`
		p.column++
	}
	p.column++ // the =
	for i, c := range []rune(s.text) {
		if i >= at.From {
			break
		}
		p.column++
		if strings.ContainsRune(twice, c) {
			p.column++
		}
	}
	return p
}

// comment returns where a // of the expression stands outside of texts and of
// comments of the other kind, as a number of characters; -1 where there is none.
func (s source) comment() int {
	var within, last rune // a quotation mark, or * in a comment
	for i, c := range []rune(s.text) {
		switch {
		case last == '\\' && (within == '"' || within == '\''):
			c = 0 // an escaped character ends nothing
		case within == '*' && last == '*' && c == '/':
			within, c = 0, 0
		case within == '*':
		case within != 0 && c == within:
			within = 0
		case within != 0:
		case c == '"' || c == '\'' || c == '`':
			within = c
		case last == '/' && c == '*':
			within, c = '*', 0
		case last == '/' && c == '/':
			return i - 1
		}
		last = c
	}
	return -1
}

// cut returns the characters of a node that is one token.
func (s source) cut(at file.Location) string {
	runes := []rune(s.text)
	if at.From < 0 || at.To > len(runes) || at.From > at.To {
		return ""
	}
	return string(runes[at.From:at.To])
}

func (s source) valid() bool { return utf8.ValidString(s.text) }
