package rules

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// FuzzFold: whatever the YAML says, it is compiled or refused, and what was
// compiled evaluates to a state or an error that leaves the state as it was.
func FuzzFold(f *testing.F) {
	files, _ := filepath.Glob("testdata/folds/*.yaml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, text := range []string{
		foldHeader + "kind: go\n", modelFold, foldOn("    set: {x: =state.note}\n"), foldOn("    - &a {set: {note: 1}}\n    - *a\n"),
		foldOn("    {when: \"=state.count > 0\", delete: true, unset: [note]}\n") + "gone: \"=state.note == 'a'\"\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var doc yaml.Node
		if yaml.Unmarshal([]byte(text), &doc) != nil {
			return
		}
		fold, problems := ParseFold(&doc)
		if fold == nil {
			if len(problems) == 0 {
				t.Fatal("no fold and no problem")
			}
			return
		}
		p, more := fold.Compile(testTypes)
		if p == nil && len(more) == 0 && !fold.ofKind {
			t.Fatal("no program and no problem")
		}
		if p != nil && len(problems) == 0 {
			foldExtremes(t, p)
		}
		beside(t, fold)
	})
}

// foldExtremes folds zeros, nulls and extremes into such states.
func foldExtremes(t *testing.T, p *FoldProgram) {
	t.Helper()
	if p.Canonical() == "" {
		t.Error("no canonical text")
	}
	values := []streams.Slot{{}, {Null: true}, {Bits: -1 << 63, Str: "\xff9", Offset: -1 << 31}}
	for _, e := range p.Events {
		v := e.NewEvaluator()
		for i, value := range values {
			state := slices.Repeat([]streams.Slot{values[(i+1)%len(values)]}, len(p.Fields))
			for range 3 {
				before := slices.Clone(state)
				for k := range v.Slots() {
					v.Slots()[k] = value
				}
				gone, err := v.Eval(state)
				if failed := new(EvalError); err != nil && (gone || !errors.As(err, &failed) || !slices.Equal(state, before)) {
					t.Fatalf("%v changed %v to %v", err, before, state)
				}
			}
		}
	}
}

// beside compiles a view from the snapshots of the fold.
func beside(t *testing.T, fold *Fold) {
	t.Helper()
	v, _ := parseView(t, fromSnapshots)
	o := testOptions
	o.Fold = func(string) *Fold { return fold }
	if p, problems := v.Compile(o); p == nil && len(problems) == 0 {
		t.Fatal("no program and no problem")
	}
}
