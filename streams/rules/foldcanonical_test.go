package rules

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/streams"
)

// TestGoldenFolds holds the canonical text of folds, as TestGoldenCanonical does
// that of views: where it changes, every fold needs a new version.
func TestGoldenFolds(t *testing.T) {
	files, err := filepath.Glob("testdata/folds/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden folds: %v", err)
	}
	for _, file := range files {
		golden(t, file, func(text string) string { return compiledFold(t, text).Canonical() })
	}
}

const someFold = `on:
  OrderPlaced:
    - when: "=data.express"
      set: {status: placed, weight: 1}
      add: {count: 1, paid: "=data.amount"}
    - delete: true
  OrderPaid:
    set: {note: "=state.note ?? 'x'"}
gone: "=not (state.count <= 3)"
`

// TestFoldCanonicalIgnoresStyle: none of these says anything else.
func TestFoldCanonicalIgnoresStyle(t *testing.T) {
	want := compiledFold(t, foldHeader+someFold).Canonical()
	for _, text := range []string{
		"on_error: stop\nto: there\nversion: 3\nstate: OrderState\ntopic: others\nname: others\n" + someFold,
		foldHeader + `gone: "=!(state['count'] <= 3)"
on:
  OrderPaid: [{set: {note: "=state.note ?? \"x\""}}]
  OrderPlaced: # rules
    - {add: {paid: "= data.amount", count: "=1"}, set: {weight: "=1", status: "placed"}, when: "=data . express"}
    - {delete: true}
`,
	} {
		if got := compiledFold(t, text).Canonical(); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
}

// TestFoldCanonicalTellsApart: each of these can give other states.
func TestFoldCanonicalTellsApart(t *testing.T) {
	seen := map[string]string{}
	for _, change := range [][2]string{
		{"", ""}, {"status: placed", "status: new"}, {"weight: 1", "weight: 2"}, {"weight", "ratio"}, {"add: {count", "max: {count"}, {"    - delete: true\n", ""},
		{"=data.express", "=data.gift ?? true"}, {"?? 'x'", "?? 'y'"}, {"<= 3", "<= 4"}, {"gone: \"=not (state.count <= 3)\"\n", ""},
		{"OrderPaid", "OrderCancelled"}, {"set: {note: \"=state.note ?? 'x'\"}", "unset: note"},
	} {
		text := compiledFold(t, foldHeader+strings.Replace(someFold, change[0], change[1], 1)).Canonical()
		if other, twice := seen[text]; twice {
			t.Errorf("%q and %q have one text:\n%s", change, other, text)
		}
		seen[text] = change[0]
	}
}

// TestFoldCanonicalHoldsTypes: the name of the state and what it is of the fields
// that are written count, other fields do not.
func TestFoldCanonicalHoldsTypes(t *testing.T) {
	text := func(state string, fields ...streams.Field) string {
		f, _ := parseFold(t, strings.Replace(foldHeader, "OrderState", state, 1)+"on: {T: {set: {a: 1}}}\n")
		p, problems := f.Compile(func(recordType string) (streams.Type, error) {
			if recordType == state {
				return record(fields...), nil
			}
			return order, nil
		})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return p.Canonical()
	}
	plain := streams.Field{Name: "a", Type: decimalType(12, 2), Default: `"\u0001"`}
	a := text("S", plain)
	if b := text("S", streams.Field{Name: "b", Type: typ(streams.KindInt)}, plain); a != b {
		t.Errorf("a field that is not written counts:\n%s\n%s", a, b)
	}
	if b := text("S2", plain); a == b {
		t.Error("the name of the state does not count")
	}
	for _, f := range []streams.Field{
		{Name: "a", Type: decimalType(12, 4), Default: `"\u0001"`},
		{Name: "a", Type: nullable(decimalType(12, 2)), Default: `"\u0001"`},
		{Name: "a", Type: decimalType(12, 2), Default: `"\u0002"`},
		{Name: "a", Type: decimalType(12, 2), Default: `"\u0001"`, Reading: "aliases b"},
		{Name: "a", Type: typ(streams.KindInt), Default: "1"},
	} {
		if b := text("S", f); a == b {
			t.Errorf("%+v does not count", f)
		}
	}
}

// TestCanonicalHoldsTheSnapshot: its rule, and the types of what it reads.
func TestCanonicalHoldsTheSnapshot(t *testing.T) {
	text := func(from, to string, paid streams.Type) string {
		o := testOptions
		o.Types = func(recordType string) (streams.Type, error) {
			if recordType != "OrderState" {
				return testTypes(recordType)
			}
			return record(streams.Field{Name: "status", Type: typ(streams.KindString)}, streams.Field{Name: "paid", Type: paid}), nil
		}
		v, problems := parseView(t, strings.Replace(fromSnapshots, from, to, 1)+"  OrderPaid: {delete: true}\n")
		p, more := v.Compile(o)
		if problems = append(problems, more...); len(problems) > 0 {
			t.Fatal(problems)
		}
		return p.Canonical()
	}
	paid := nullable(decimalType(12, 2))
	seen := map[string]bool{}
	for _, text := range []string{
		text("", "", paid), text("", "", nullable(decimalType(12, 4))), text("=state.status", "=state.status + ''", paid),
		text("snapshot:\n", "snapshot:\n  when: \"=version > 1\"\n", paid), text("{status: \"=", "{kind: a, status: \"=", paid),
		text("from: snapshots\nkey: \"=stream\"\non_error: stop\nsnapshot:\n  set: {status: \"=state.status\", paid: \"=state.paid\"}", "key: \"=stream\"\non_error: stop", paid),
	} {
		if seen[text] {
			t.Errorf("another view has the text:\n%s", text)
		}
		seen[text] = true
	}
}
