package worker

import (
	"bytes"
	"errors"
	"fmt"
	"io"

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
