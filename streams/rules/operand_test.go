package rules

import (
	"slices"
	"strings"
	"testing"
)

// TestOrderOfNumbersDoesNotMatter: numbers that stand in the rule go with any
// other, wherever they stand among them.
func TestOrderOfNumbersDoesNotMatter(t *testing.T) {
	permute([]string{"data.article", "1.5", "data.weight", "9"}, func(order []string) {
		expr := "max(" + strings.Join(order, ", ") + ")"
		if got, err := value(t, expr, full(t)); err != nil || got != "9" {
			t.Errorf("%s: got %s, %v", expr, got, err)
		}
	})
	permute([]string{`"=data.article"`, "1.5", `"=data.weight"`, "9"}, func(order []string) {
		text := "[{set: {x: " + strings.Join(order, "}}, {set: {x: ") + "}}]"
		p, problems := check(t, header+"on:\n  OrderPlaced: "+text+"\n")
		if len(problems) > 0 || p.Fields[0].Type.Kind.String() != "float" {
			t.Errorf("%s: %v", text, problems)
		}
	})
	permute([]string{`"=data.article"`, `"=data.amount"`, `"=data.weight"`, "1.5"}, func(order []string) {
		text := "[{set: {x: " + strings.Join(order, "}}, {set: {x: ") + "}}]"
		_, problems := check(t, header+"on:\n  OrderPlaced: "+text+"\n")
		if len(problems) != 1 || !strings.Contains(problems[0].Message, "float or float(x) of the decimal") {
			t.Errorf("%s: got %v", text, problems)
		}
	})
}

func permute(list []string, f func([]string)) {
	var walk func(k int)
	walk = func(k int) {
		if k == len(list) {
			f(slices.Clone(list))
		}
		for i := k; i < len(list); i++ {
			list[k], list[i] = list[i], list[k]
			walk(k + 1)
			list[k], list[i] = list[i], list[k]
		}
	}
	walk(0)
}

// TestWrittenIntsBesideFloats: one that no float is would be another number in
// silence, also where it is the value of a field of floats.
func TestWrittenIntsBesideFloats(t *testing.T) {
	for _, expr := range []string{"data.weight + 9007199254740992", "data.weight > -9007199254740993.0", "data.weight + float(9007199254740993)"} {
		if got := problemsOf(t, expr); got != "" {
			t.Errorf("%s: %s", expr, got)
		}
	}
	for _, expr := range []string{
		"data.weight + 9007199254740993", "-9007199254740993 < data.weight", "data.weight in [1, 9007199254740993]",
		"max(data.weight, 9007199254740993)", "data.ratio ?? 9223372036854775807", "data.express ? data.weight : 9007199254740993",
	} {
		if got := problemsOf(t, expr); !strings.HasPrefix(got, "7:") || strings.Contains(got, "\n") {
			t.Errorf("%s: got %q, want one problem", expr, got)
		}
	}
	_, problems := check(t, on("    - max: {x: \"=data.weight\"}\n    - max: {x: 9007199254740993}\n"))
	expect(t, problemTexts(problems), []string{"8:13: field x is int here, but float at 7:13; a field has one type in all rules; no float is this int; write float(x) for the nearest one"})
}
