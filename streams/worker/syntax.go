package worker

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// syntaxProblem turns an error of the YAML package into what its reader needs.
// It repeats no text of the file: that may be a secret.
func syntaxProblem(err error, src []byte) streams.Problem {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return streams.Problem{Line: 1, Column: 1, Message: "not YAML"}
	}
	at := streams.Problem{Line: max(1, le.Mark.Line), Column: max(1, le.Mark.Column)}
	lines := splitLines(src)
	if p, odd := oddIndent(lines, at.Line); odd {
		return p
	}
	begins := streams.Problem{Line: le.ContextMark.Line, Column: le.ContextMark.Column}
	switch message, moved := explain(le, lines, at); {
	case message != "" && moved:
		begins.Message = message
		return begins
	case message != "":
		at.Message = message
	case begins.Line > 0 && (begins.Line != at.Line || begins.Column != at.Column):
		at.Message = fmt.Sprintf("not YAML: %s, %s that begins at %d:%d", le.Message, le.ContextMsg, begins.Line, begins.Column)
	default:
		at.Message = "not YAML: " + le.Message
	}
	return at
}

// explain says in our words what the YAML package found; empty where it has none.
// moved says that the place to look at is where the context begins.
func explain(le *yaml.LoadError, lines [][]rune, at streams.Problem) (message string, moved bool) {
	is := func(prefix string) bool { return strings.HasPrefix(le.Message, prefix) }
	begins := fmt.Sprintf("%d:%d", le.ContextMark.Line, le.ContextMark.Column)
	switch {
	case is("unknown anchor"):
		return "a text that begins with '*' is an alias to YAML, and aliases are not supported; quote the text", false
	case is("mapping values are not allowed"):
		return "a ':' cannot stand here; quote a text that contains ': ', and indent the keys of one block alike", false
	case is("found character that cannot start any token"):
		return badStart(lines, at), false
	case strings.Contains(le.ContextMsg, "quoted scalar") && strings.Contains(le.Message, "end of stream"):
		return "the quote that begins here is not closed", true
	case is("did not find expected ','") && follows(lines, at, '$'):
		return "quote ${…} between brackets: [\"${HOST}:9092\"]", false
	case is("did not find expected ','"):
		return fmt.Sprintf("the bracket at %s is not closed; a ',' or its end is missing here, or quotes around an expression that has brackets", begins), false
	case is("could not find expected ':'"):
		return "a ':' and a space must follow the key that begins here", true
	case is("did not find expected node content"):
		return "a value is missing here", false
	case is("did not find expected key") && !beginsLine(lines, at):
		return "nothing can follow the value that ends here; put all of it in quotes", false
	case is("did not find expected key"):
		return fmt.Sprintf("this line belongs neither to the block that begins at %s nor to one around it; indent it like their keys", begins), false
	case is("did not find expected '-' indicator"):
		return fmt.Sprintf("this line is no item of the list that begins at %s, and no key of a block around it; begin it with '- ', or indent it like their keys", begins), false
	case is("found unknown escape character"):
		return "a backslash in double quotes begins an escape, and this is none; write two of them, or single quotes", false
	case is("found incompatible YAML document"):
		return "take this line out; the file is read as YAML 1.2 anyway", false
	}
	return "", false
}

// oddIndent finds a space in the indentation of a line, or of the one before,
// that is none to YAML.
func oddIndent(lines [][]rune, line int) (streams.Problem, bool) {
	for n := max(1, line-1); n <= min(line, len(lines)); n++ {
		i := slices.IndexFunc(lines[n-1], func(r rune) bool { return !isSpace(r) })
		if i >= 0 && unicode.IsSpace(lines[n-1][i]) {
			return streams.Problem{Line: n, Column: i + 1, Message: fmt.Sprintf("U+%04X only looks like a space; indent with spaces", lines[n-1][i])}, true
		}
	}
	return streams.Problem{}, false
}

// beginsLine says whether nothing stands before the place of a problem.
func beginsLine(lines [][]rune, p streams.Problem) bool {
	return p.Line > len(lines) || strings.TrimSpace(string(lines[p.Line-1][:min(p.Column-1, len(lines[p.Line-1]))])) == ""
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
