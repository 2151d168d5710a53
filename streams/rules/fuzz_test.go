package rules

import (
	"os"
	"path/filepath"
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
		node := scalarNode("=" + expr)
		key := scalarNode("all")
		v := &View{Topics: []string{"shop"}, key: key, events: []eventRules{{eventType: "OrderPlaced", rules: []rule{
			{fields: []fieldOp{{op: OpLatest, field: "x", value: node}}},
		}}}}
		p, problems := v.Compile(testOptions)
		if p == nil && len(problems) == 0 {
			t.Fatal("no program and no problem")
		}
		if p != nil {
			evaluateAll(t, p)
		}
	})
}

// evaluateAll evaluates the rules with zeros, with nulls and with extremes.
func evaluateAll(t *testing.T, p *Program) {
	t.Helper()
	if p.Canonical() == "" {
		t.Error("no canonical text")
	}
	for _, e := range p.Events {
		v := e.NewEvaluator()
		for _, slot := range []streams.Slot{{}, {Null: true}, {Bits: -1 << 63, Str: "\xff9", Offset: -1 << 31}} {
			for i := range v.Slots() {
				v.Slots()[i] = slot
			}
			if steps, err := v.Eval(); err != nil && steps != nil {
				t.Errorf("steps and error %v", err)
			}
		}
	}
}
