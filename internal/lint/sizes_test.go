package lint

import (
	"fmt"
	"go/ast"
	"slices"
	"testing"
)

// The budget, in lines. Readers keep a function and a file of this size in mind.
const (
	maxFunction   = 60
	ninetieth     = 30 // nine functions of ten are not longer
	maxFile       = 300
	maxMethods    = 5 // of an interface
	maxParameters = 4 // a context not counted; then comes a struct
)

// TestSizes holds the budget, but for what the table excuses.
func TestSizes(t *testing.T) {
	var lengths []int
	excused := map[string]bool{}
	check := func(what string, is, limit int) {
		if is <= limit {
			return
		}
		if _, ok := long[what]; ok {
			excused[what] = true
			return
		}
		t.Errorf("%s: %d, the limit is %d", what, is, limit)
	}
	for _, f := range sources(t) {
		if ast.IsGenerated(f.ast) {
			continue
		}
		check(f.name, f.fset.Position(f.ast.FileEnd).Line-1, maxFile)
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				lines := f.fset.Position(n.End()).Line - f.fset.Position(n.Pos()).Line + 1
				lengths = append(lengths, lines)
				what := fmt.Sprintf("%s %s", f.name, n.Name.Name)
				check(what, lines, maxFunction)
				check(what+" parameters", parameters(n.Type), maxParameters)
			case *ast.TypeSpec:
				if i, ok := n.Type.(*ast.InterfaceType); ok {
					check(fmt.Sprintf("%s %s", f.name, n.Name.Name), i.Methods.NumFields(), maxMethods)
				}
			}
			return true
		})
	}
	for what := range long {
		if !excused[what] {
			t.Errorf("%s is excused, and keeps the budget: remove it from the table", what)
		}
	}
	slices.Sort(lengths)
	if n := lengths[len(lengths)*9/10]; n > ninetieth {
		t.Errorf("one function of ten is longer than %d lines, the limit is %d", n, ninetieth)
	}
}

// parameters counts the parameters of a function but a context.
func parameters(f *ast.FuncType) int {
	n := f.Params.NumFields()
	if n > 0 {
		if s, ok := f.Params.List[0].Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Context" {
			n--
		}
	}
	return n
}
