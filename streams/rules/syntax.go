package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	exprparser "github.com/expr-lang/expr/parser"
)

// Limits of one expression.
const (
	// MaxNodes is how many parts an expression may have.
	MaxNodes = 500
	// maxText is how many bytes the text of an expression may have.
	maxText = 16 << 10
)

// parse returns the syntax tree of the expression.
func (s source) parse() (tree ast.Node, at place, err error) {
	switch {
	case strings.TrimSpace(s.text) == "":
		return nil, placeOf(s.node), errors.New("the expression is empty; a literal = is written ==")
	case len(s.text) > maxText:
		return nil, placeOf(s.node), fmt.Errorf("the expression is longer than %d bytes", maxText)
	case !s.valid():
		return nil, placeOf(s.node), errors.New("the expression is not valid UTF-8")
	}
	if from := s.comment(); from >= 0 {
		return nil, s.place(file.Location{From: from}), errors.New("// would end the expression, since YAML makes one line of several; write comments in YAML, with #")
	}
	// The parser is not ours: what it may still do with hostile text is a problem
	// of that text.
	defer func() {
		if r := recover(); r != nil {
			tree, at, err = nil, placeOf(s.node), fmt.Errorf("the expression cannot be parsed: %v", r)
		}
	}()
	parsed, err := exprparser.ParseWithConfig(s.text, &conf.Config{MaxNodes: MaxNodes})
	var syntax *file.Error
	if errors.As(err, &syntax) {
		return nil, s.place(syntax.Location), errors.New(syntaxMessage(syntax.Message))
	}
	if err != nil {
		return nil, placeOf(s.node), err
	}
	return parsed.Node, place{}, nil
}

// syntaxMessage says in our words what the parser says.
func syntaxMessage(m string) string {
	switch {
	case strings.Contains(m, "maximum allowed nodes"):
		return fmt.Sprintf("the expression has more than %d parts", MaxNodes)
	case strings.Contains(m, "token EOF"), strings.Contains(m, "unexpected end"):
		return "the expression ends too early"
	case m == `unexpected token Operator("=")`:
		return "unexpected =; equality is =="
	case strings.Contains(m, "coalesce expressions"):
		return "put ?? in parentheses: (data.amount ?? 0) + 1"
	case strings.Contains(m, "integer literal"):
		return "the number does not fit 64 bits"
	case strings.Contains(m, "not terminated"):
		return "the text is not closed"
	}
	if _, character, ok := strings.Cut(m, "character: "); ok {
		return "unexpected character " + character
	}
	if rest, ok := strings.CutPrefix(m, "unexpected token "); ok {
		if _, token, ok := strings.Cut(strings.TrimSuffix(rest, ")"), "("); ok {
			return "unexpected " + token
		}
	}
	return m
}

// repeated returns a node that stands in the tree twice, nil where there is
// none. The parser makes a < b < c share b between two comparisons, and so could
// make a short text an endless walk.
func repeated(tree ast.Node) ast.Node {
	seen := map[ast.Node]bool{}
	var walk func(n ast.Node) ast.Node
	walk = func(n ast.Node) ast.Node {
		if seen[n] {
			return n
		}
		seen[n] = true
		for _, c := range children(n) {
			if r := walk(c); r != nil {
				return r
			}
		}
		return nil
	}
	return walk(tree)
}

// children returns the parts of the nodes that expressions may have. The others
// are refused when they are compiled, so nothing walks into them.
func children(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.MemberNode:
		return []ast.Node{n.Node}
	case *ast.CallNode:
		return n.Arguments
	case *ast.BuiltinNode:
		return n.Arguments
	case *ast.ArrayNode:
		return n.Nodes
	}
	return nil
}
