package worker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/streams"
)

// Problems is everything that is wrong with one configuration file.
type Problems struct {
	// File is the name of the file as it was given.
	File string
	// List is sorted by place.
	List []streams.Problem

	lines []shownLine
}

// maxShown bounds what is printed of a file that is something else altogether.
const maxShown = 100

// Error prints each problem as file:line:column: message, and below it the
// source line with a caret. Values of secrets are redacted.
func (p *Problems) Error() string {
	var b strings.Builder
	for i, problem := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		if i == maxShown {
			fmt.Fprintf(&b, "%s: %d more", p.File, len(p.List)-i)
			break
		}
		fmt.Fprintf(&b, "%s:%d:%d: %s", p.File, problem.Line, problem.Column, problem.Message)
		if n := problem.Line - 1; n >= 0 && n < len(p.lines) && !p.lines[n].blank() {
			b.WriteString(p.lines[n].excerpt(problem.Column))
		}
	}
	return b.String()
}

// sortProblems sorts by place and drops repetitions.
func sortProblems(list []streams.Problem) []streams.Problem {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b streams.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(list)
}
