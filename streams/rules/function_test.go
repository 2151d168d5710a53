package rules

import (
	"strings"
	"testing"

	"github.com/expr-lang/expr/builtin"
)

// TestOnlyOurFunctions: of what expr-lang has, only the names of our table can
// be called, so that nothing runs that is not pure or does not end soon.
func TestOnlyOurFunctions(t *testing.T) {
	ours := map[string]bool{}
	for _, f := range Functions() {
		ours[f.Name] = true
	}
	refused := 0
	for _, b := range builtin.Builtins {
		for _, call := range []string{"(data.items, # == 'a')", "(data.items, {# == 'a'})", "(data.items)", "()", "(data.customer_id, 1000000)"} {
			got := problemsOf(t, b.Name+call)
			if got == "" {
				t.Errorf("%s%s is allowed", b.Name, call)
			}
			if strings.Contains(got, "there is no function "+b.Name) {
				if refused++; ours[b.Name] {
					t.Errorf("%s is ours, and refused: %s", b.Name, got)
				}
			}
		}
	}
	if refused < 50 {
		t.Errorf("%d calls are refused by name", refused)
	}
}

// TestTrimTakesWhiteSpace of Unicode, by a list of our own.
func TestTrimTakesWhiteSpace(t *testing.T) {
	for r := rune(1); r < 0x3100; r++ {
		text := string(r) + "a" + string(r)
		if got := strings.Trim(text, whiteSpace); got != strings.TrimSpace(text) {
			t.Errorf("%U: got %q", r, got)
		}
	}
}
