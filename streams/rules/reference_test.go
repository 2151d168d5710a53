package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestReferenceIsCurrent: the tables of docs/reference/rules.md are those of
// Operators and Functions. UPDATE_GOLDEN=1 writes them.
func TestReferenceIsCurrent(t *testing.T) {
	const file = "../../docs/reference/rules.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var operators, functions strings.Builder
	operators.WriteString("| operator | takes | meaning |\n|---|---|---|\n")
	for _, o := range Operators() {
		fmt.Fprintf(&operators, "| `%s` | %s | %s |\n", cell(o.Operators), cell(o.Operands), cell(o.Meaning))
	}
	functions.WriteString("| function | result | meaning |\n|---|---|---|\n")
	for _, f := range Functions() {
		fmt.Fprintf(&functions, "| `%s` | %s | %s |\n", cell(f.Signature), cell(f.Result), cell(f.Meaning))
	}
	want := between(t, string(page), "<!-- operators -->\n", operators.String())
	want = between(t, want, "<!-- functions -->\n", functions.String())
	if want == string(page) {
		return
	}
	if os.Getenv("UPDATE_GOLDEN") == "" {
		t.Fatalf("%s is not current; run UPDATE_GOLDEN=1 go test ./streams/rules", file)
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// between replaces what stands between a mark and the next end.
func between(t *testing.T, page, mark, text string) string {
	t.Helper()
	before, rest, ok := strings.Cut(page, mark)
	_, after, closed := strings.Cut(rest, "<!-- end -->")
	if !ok || !closed {
		t.Fatalf("the page has no %s … <!-- end -->", mark)
	}
	return before + mark + text + "<!-- end -->" + after
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// TestEveryFunctionIsDocumented: the table says what a function is called with.
func TestEveryFunctionIsDocumented(t *testing.T) {
	for _, f := range Functions() {
		if !strings.HasPrefix(f.Signature, f.Name+"(") || f.Meaning == "" || f.Result == "" {
			t.Errorf("%+v", f)
		}
	}
}
