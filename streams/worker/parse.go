package worker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// parse returns the root of the one document in src, nil where it is empty.
func parse(src []byte) (*yaml.Node, []streams.Problem) {
	if p, bad := checkText(src); bad {
		return nil, []streams.Problem{p}
	}
	loader, err := yaml.NewLoader(bytes.NewReader(src))
	if err != nil {
		return nil, []streams.Problem{syntaxProblem(err, src)}
	}
	var doc, second yaml.Node
	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, []streams.Problem{syntaxProblem(err, src)}
	case len(doc.Content) == 0:
		return nil, nil
	}
	switch err := loader.Load(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, []streams.Problem{syntaxProblem(err, src)}
	default:
		return nil, []streams.Problem{problemAt(&second, "a second document begins here; the file must hold one")}
	}
	return doc.Content[0], nil
}

func problemAt(n *yaml.Node, format string, args ...any) streams.Problem {
	return streams.Problem{Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)}
}

// syntaxProblem turns an error of the YAML package into what its reader needs.
// It repeats no text of the file: that may be a secret.
func syntaxProblem(err error, src []byte) streams.Problem {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return streams.Problem{Line: 1, Column: 1, Message: "not YAML"}
	}
	p := streams.Problem{Line: max(1, le.Mark.Line), Column: max(1, le.Mark.Column)}
	switch context := le.ContextMark; {
	case strings.HasPrefix(le.Message, "unknown anchor"):
		p.Message = "a text that begins with '*' is an alias to YAML, and aliases are not supported; quote the text"
	case strings.HasPrefix(le.Message, "mapping values are not allowed"):
		p.Message = "a ':' cannot stand here; quote a text that contains ': ', and indent the keys of one block alike"
	case strings.HasPrefix(le.Message, "found character that cannot start any token"):
		p.Message = badStart(splitLines(src), p)
	case strings.Contains(le.ContextMsg, "quoted scalar") && strings.Contains(le.Message, "end of stream"):
		p = streams.Problem{Line: context.Line, Column: context.Column, Message: "the quote that begins here is not closed"}
	case strings.HasPrefix(le.Message, "did not find expected ','") && follows(splitLines(src), p, '$'):
		p.Message = "quote ${…} between brackets: [\"${HOST}:9092\"]"
	case context.Line > 0 && (context.Line != p.Line || context.Column != p.Column):
		p.Message = fmt.Sprintf("not YAML: %s, %s that begins at %d:%d", le.Message, le.ContextMsg, context.Line, context.Column)
	default:
		p.Message = "not YAML: " + le.Message
	}
	return p
}

// follows says whether that character stands before the place of a problem.
func follows(lines [][]rune, p streams.Problem, before rune) bool {
	return p.Line <= len(lines) && p.Column >= 2 && p.Column-2 < len(lines[p.Line-1]) && lines[p.Line-1][p.Column-2] == before
}

func badStart(lines [][]rune, p streams.Problem) string {
	if p.Line > len(lines) || p.Column > len(lines[p.Line-1]) {
		return "not YAML: a text cannot begin here"
	}
	r := lines[p.Line-1][p.Column-1]
	if r == '\t' {
		return "a tab cannot indent YAML; use spaces"
	}
	return fmt.Sprintf("a text cannot begin with %q; quote it", r)
}
