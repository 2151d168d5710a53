package rules

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// FuzzView: whatever the YAML says, it is compiled or refused, and what was
// compiled evaluates to steps or an error.
func FuzzView(f *testing.F) {
	files, _ := filepath.Glob("testdata/canonical/*.yaml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, rules := range []string{
		"    set: {x: =max(data.article, 1)}\n", "    - &a {set: {x: 1}}\n    - *a\n", "    <<: {set: {x: 1}}\n",
		"    set: {x: \"=[1]\", y: \"=data.a?.b\"}\n", "    {when: true, delete: true, unset: [x]}\n",
	} {
		f.Add(on(rules))
	}
	f.Add(fromSnapshots + "  OrderPaid: {delete: true}\n")
	f.Fuzz(func(t *testing.T, text string) {
		var doc yaml.Node
		if yaml.Unmarshal([]byte(text), &doc) != nil {
			return
		}
		view, problems := Parse(&doc)
		if view == nil {
			if len(problems) == 0 {
				t.Fatal("no view and no problem")
			}
			return
		}
		p, more := view.Compile(testOptions)
		if p == nil && len(more) == 0 {
			t.Fatal("no program and no problem")
		}
		if p != nil && len(problems) == 0 {
			evaluateAll(t, p)
		}
	})
}

// FuzzExpression is FuzzView with only the expression unknown, which finds more
// of the language.
func FuzzExpression(f *testing.F) {
	for _, expr := range []string{
		`data.amount * 2 - (data.discount ?? 0)`, `data.express ? data.ratio : 1`, `stream.key + string(time)`,
		`data.coupon in ["a", "b"] or not (data.gift ?? false)`, `div(data.amount, data.article, 3)`,
		`1 < 2 < 3`, `if a {b} else {c}`, `filter(data.items, # > 1)`, `let x = 1; x`, `data["a"].b?.c[1:2]`,
		`month(data.placed, "Europe/Rome") | upper()`, `-(-1.5)`, `b"x"`, `{a: 1}`, "`raw` // comment",
	} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		p, problems := latestOf(expr)
		if p == nil && len(problems) == 0 {
			t.Fatal("no program and no problem")
		}
		if p == nil || strings.HasPrefix(expr, "=") {
			return // no expression
		}
		steps := evaluateAll(t, p)
		_, plain, _ := strings.Cut(p.Canonical(), "latest x ")
		plain = strings.TrimSuffix(plain, "\n")
		if len(plain) > maxText {
			return
		}
		same, problems := latestOf(plain)
		if same == nil {
			t.Fatalf("%s, the text of the digest, is no expression: %v", plain, problems)
		}
		if again := evaluateAll(t, same); again != steps {
			t.Fatalf("%s gives\n%s, and %s, the text of the digest,\n%s", expr, steps, plain, again)
		}
	})
}

// latestOf compiles a view with one expression.
func latestOf(expr string) (*Program, []streams.Problem) {
	v := &View{Topics: []string{"shop"}, key: scalarNode("all"), events: []eventRules{{eventType: "OrderPlaced", rules: []rule{
		{fields: []fieldOp{{op: OpLatest, field: "x", value: scalarNode("=" + expr)}}},
	}}}}
	return v.Compile(testOptions)
}

// evaluateAll evaluates the rules with zeros, with nulls and with extremes, and
// says what comes of it.
func evaluateAll(t *testing.T, p *Program) (all string) {
	t.Helper()
	if p.Canonical() == "" {
		t.Error("no canonical text")
	}
	events := slices.Collect(maps.Values(p.Events))
	if p.Snapshot != nil {
		events = append(events, p.Snapshot, p.Gone)
	}
	for _, e := range events {
		v := e.NewEvaluator()
		for _, slot := range []streams.Slot{{}, {Null: true}, {Bits: -1 << 63, Str: "\xff9", Offset: -1 << 31}} {
			for i := range v.Slots() {
				v.Slots()[i] = slot
			}
			steps, err := v.Eval()
			if err != nil && steps != nil {
				t.Errorf("steps and error %v", err)
			}
			all += fmt.Sprintln(show(p, steps), errors.Unwrap(err))
		}
	}
	return all
}
