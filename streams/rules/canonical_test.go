package rules

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// TestGoldenCanonical holds the canonical text of views and its hash. Where it
// changes, every stored view has to be rebuilt: raise canonicalVersion, and say
// so in the changelog.
func TestGoldenCanonical(t *testing.T) {
	files, err := filepath.Glob("testdata/canonical/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden views: %v", err)
	}
	for _, file := range files {
		golden(t, file, func(text string) string { return compiled(t, text).Canonical() })
	}
}

// golden compares what comes of a file with the text and the hash beside it.
func golden(t *testing.T, file string, of func(text string) string) {
	t.Run(filepath.Base(file), func(t *testing.T) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// which letters there are depends on the version of Go
		canonical := strings.ReplaceAll(of(string(text)), letters(unicode.ToLower), "of Unicode")
		got := fmt.Sprintf("%x\n%s", sha256.Sum256([]byte(canonical)), canonical)
		golden := strings.TrimSuffix(file, ".yaml") + ".golden"
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || got != string(want) {
			t.Errorf("got:\n%s\nwant (%v):\n%s", got, err, want)
		}
	})
}

// TestCanonicalIgnoresStyle: none of these says anything else.
func TestCanonicalIgnoresStyle(t *testing.T) {
	want := compiled(t, `
name: orders
version: 3
topics: [shop]
key: "=stream"
on_error: stop
on:
  OrderPlaced:
    when: "=data.amount > 1000.5 and not (data.coupon in ['A', 'B'])"
    set: {status: placed, n: -1}
    add: {count: 1, sum: "=data.amount"}
  OrderPaid:
    set: {status: paid}
`).Canonical()
	styles := map[string]string{
		"key order, comments, quotes, spaces": `
on: # rules
  OrderPaid:
    - set: {status: "=\"paid\""}
  OrderPlaced:
    - add:
        sum: '= data . amount'
        count: "=1"
      set:
        n: =-1
        status: 'placed'
      when: "=(data['amount'] > 1_000.50) && !(data.coupon in [\"A\", \"B\",]) /* why not */"
topics:
  - shop
on_error: "stop"
rows: hash
key: '=stream'
name: orders
`,
		"key in the rules, another name": `
name: others
topics: [shop]
on_error: stop
on:
  OrderPlaced:
    key: "=stream"
    when: "=data.amount > 1000.5 and data.coupon not in ['A', 'B']"
    set: {status: placed, n: -1}
    add: {count: 1, sum: "=data.amount"}
  OrderPaid:
    - key: "=stream"
      set: {status: paid}
`,
	}
	for name, text := range styles {
		if got := compiled(t, text).Canonical(); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
		}
	}
}

// TestCanonicalTellsApart: each of these can give other rows.
func TestCanonicalTellsApart(t *testing.T) {
	rules := []string{
		`{set: {x: 1}}`, `{set: {x: 2}}`, `{set: {x: 1.0}}`, `{set: {x: "1"}}`, `{set: {y: 1}}`, `{add: {x: 1}}`, `{max: {x: 1}}`,
		`{latest: {x: 1}}`, `[{set: {x: 1}}, {unset: x}]`, `[{set: {x: 1}, delete: true}]`, `{when: true, set: {x: 1}}`,
		`[{set: {x: 1}}, {set: {x: 2}}]`, `[{set: {x: 2}}, {set: {x: 1}}]`, `{key: "=[stream]", set: {x: 1}}`,
		`{set: {x: "=data.amount - 1 - 2"}}`, `{set: {x: "=data.amount - (1 - 2)"}}`, `{set: {x: "=data.article"}}`,
		`{set: {x: "=data.express ? 1 : 2"}}`, `{set: {x: "=data.coupon"}}`, `{set: {x: "=data.coupon ?? ''"}}`,
		`{set: {x: "=data.coupon ?? ' '"}}`, `{set: {x: "=stream.key"}}`, `{set: {x: "=stream"}}`,
		`{set: {x: "=month(time, 'UTC')"}}`, `{set: {x: "=day(time, 'UTC')"}}`, `{set: {x: "=day(time, 'as written')"}}`,
	}
	seen := map[string]string{}
	for _, r := range rules {
		text := compiled(t, header+"on:\n  OrderPlaced: "+r+"\n").Canonical()
		if other, twice := seen[text]; twice {
			t.Errorf("%s and %s have one text:\n%s", r, other, text)
		}
		seen[text] = r
	}
}

// TestCanonicalHoldsTypes: the type and the default of what is read count, other
// fields do not.
func TestCanonicalHoldsTypes(t *testing.T) {
	text := func(fields ...streams.Field) string {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(header+"on: {T: {set: {x: \"=data.a\"}}}\n"), &doc); err != nil {
			t.Fatal(err)
		}
		v, _ := Parse(&doc)
		p, problems := v.Compile(Options{Types: func(string) (streams.Type, error) { return record(fields...), nil }})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return p.Canonical()
	}
	a := text(streams.Field{Name: "a", Type: decimalType(12, 2)})
	if b := text(streams.Field{Name: "b", Type: typ(streams.KindInt)}, streams.Field{Name: "a", Type: decimalType(12, 2)}); a != b {
		t.Errorf("a field that is not read counts:\n%s\n%s", a, b)
	}
	for _, f := range []streams.Field{
		{Name: "a", Type: decimalType(12, 4)},
		{Name: "a", Type: nullable(decimalType(12, 2))},
		{Name: "a", Type: decimalType(12, 2), Default: "1"},
		{Name: "a", Type: decimalType(12, 2), Reading: "aliases b"},
		{Name: "a", Type: typ(streams.KindInt)},
	} {
		if b := text(f); a == b {
			t.Errorf("%+v does not count", f)
		}
	}
}

// TestCanonicalHoldsZones: what a zone is depends on the database of the machine,
// so its offsets count, not its name alone.
func TestCanonicalHoldsZones(t *testing.T) {
	text := func(expr string) string {
		return compiled(t, header+"on:\n  OrderPlaced: {set: {x: \"="+expr+"\"}}\n").Canonical()
	}
	if got := text(`day(time, 'Europe/Rome') + month(time, 'Asia/Tokyo')`); !regexp.MustCompile(`\n  zone Asia/Tokyo [0-9a-f]{16}\n  zone Europe/Rome [0-9a-f]{16}\n`).MatchString(got) {
		t.Errorf("got:\n%s", got)
	}
	if got := text(`day(time, 'as written')`); strings.Contains(got, "zone") {
		t.Errorf("got:\n%s", got)
	}
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	vatican, err := time.LoadLocation("Europe/Vatican")
	if err != nil {
		t.Fatal(err)
	}
	if offsets(rome) != offsets(vatican) {
		t.Error("the same offsets under another name have another hash")
	}
	seen := map[string]*time.Location{}
	for _, at := range []*time.Location{rome, time.UTC, time.FixedZone("", 3600), time.FixedZone("", 60)} {
		if other := seen[offsets(at)]; other != nil {
			t.Errorf("%v and %v have one hash", at, other)
		}
		seen[offsets(at)] = at
	}
}

// TestCanonicalHoldsLetters: which letters there are depends on the version of
// Unicode that Go has, so what a function makes of them counts.
func TestCanonicalHoldsLetters(t *testing.T) {
	text := func(expr string) string {
		return compiled(t, header+"on:\n  OrderPlaced: {set: {x: \"="+expr+"\"}}\n").Canonical()
	}
	for function, to := range map[string]func(rune) rune{"lower": unicode.ToLower, "upper": unicode.ToUpper} {
		if got := text(function + "(type)"); !strings.Contains(got, "\n  letters "+function+" "+letters(to)+"\n") {
			t.Errorf("got:\n%s", got)
		}
	}
	if got := text("trim(type)"); strings.Contains(got, "letters") {
		t.Errorf("got:\n%s", got)
	}
	missing := func(r rune) rune {
		if r == 'ÿ' {
			return r
		}
		return unicode.ToUpper(r)
	}
	if letters(missing) == letters(unicode.ToUpper) {
		t.Error("a letter less has the same hash")
	}
}
