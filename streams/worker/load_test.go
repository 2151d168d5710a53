package worker

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

func TestProblemf(t *testing.T) {
	f, err := loadTest("kafka:\n  brokers: [a:1, b:2]\n  labels: {a.b: 1, a: 2}\n  sasl:\n    user: u\n    password: p\ntopics:\n  fines.eu:\n    partitioner: any\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path         string
		line, column int
	}{
		{"", 1, 1},
		{"nothing", 1, 1},
		{"schemas.folder", 1, 1},
		{"kafka", 1, 1},
		{"kafka.brokers", 2, 12},
		{"kafka.brokers[1]", 2, 18},
		{"kafka.brokers[2]", 2, 12},
		{"kafka.brokers[x]", 2, 12},
		{"kafka.brokers[-1]", 2, 12},
		{"kafka.brokers.x", 2, 12},
		{"kafka.labels.a.b", 3, 17},
		{"kafka.labels.a", 3, 23},
		{"kafka.sasl", 4, 3},
		{"kafka.sasl.plain", 4, 3},
		{"topics.fines.eu.partitioner", 9, 18},
		{"topics.fines.us.partitioner", 7, 1},
		{"topics.fines.eupartitioner", 7, 1},
	} {
		f.problems = nil
		f.Problemf(c.path, "wrong: %d", 1)
		want := streams.Problem{Line: c.line, Column: c.column, Message: "wrong: 1"}
		if got := f.problems[0]; got != want {
			t.Errorf("%q: %v, want %v", c.path, got, want)
		}
	}
	if !f.Has("topics") || f.Has("admin") {
		t.Error("Has is wrong")
	}
}

func TestNodesKeepWhatRulesNeed(t *testing.T) {
	app := testApp()
	src := "kafka: {brokers: [a:1]}\nprojector:\n  views:\n  - \"${SET}\"\n  - ${NONE:-5}\n  - '${NONE:-5}'\n  - ${NONE:-true}\n  - ${NONE:-null}\n  - ${EMPTY}\n  - $${x}\n  - 1.50\n  - =a\n"
	if _, err := load(&File{src: []byte(src)}, app.Blocks, KnownBlocks(), testVariables()); err != nil {
		t.Fatal(err)
	}
	want := []yaml.Node{
		{Value: "value", Tag: "!!str"}, {Value: "5", Tag: "!!int"}, {Value: "5", Tag: "!!str"}, {Value: "true", Tag: "!!bool"},
		{Value: "null", Tag: "!!str"}, {Value: "", Tag: "!!str"}, {Value: "${x}", Tag: "!!str"}, {Value: "1.50", Tag: "!!float"},
		{Value: "=a", Tag: "!!str"},
	}
	for i, n := range app.Blocks["projector"].(*projectorBlock).Views {
		if n.Value != want[i].Value || n.Tag != want[i].Tag || n.Line != i+4 {
			t.Errorf("item %d is %s %q in line %d", i, n.Tag, n.Value, n.Line)
		}
	}
}

func TestAliasBombIsRefused(t *testing.T) {
	src := "kafka:\n  labels: &a {x: 1}\nprojector:\n  views:\n    - &b [*a, *a, *a]\n    - &c [*b, *b, *b]\n"
	app := testApp()
	_, err := load(&File{src: []byte(src)}, app.Blocks, KnownBlocks(), testVariables())
	if n := strings.Count(err.Error(), "not supported"); n != 9 {
		t.Errorf("%d places refused, want 9:\n%v", n, err)
	}
	for _, view := range app.Blocks["projector"].(*projectorBlock).Views {
		for _, n := range view.Content {
			if n.Alias != nil || n.Kind == yaml.AliasNode {
				t.Error("an alias was handed over")
			}
		}
	}
}

type unreadable struct {
	Any     any      `yaml:"any"`
	Channel chan int `yaml:"channel"`
	Array   [2]int   `yaml:"array"`
	private int
}

func TestTypesThatCannotBeRead(t *testing.T) {
	_, err := Load("f", []byte("x:\n  any: 1\n  channel: 2\n  array: 3\n  private: 4\n"), map[string]any{"x": &unreadable{private: 1}}, nil)
	var problems *Problems
	if !errors.As(err, &problems) || len(problems.List) != 4 {
		t.Fatal(err)
	}
}

type (
	outer struct {
		Items  []item             `yaml:"items"`
		Named  map[string]*item   `yaml:"named"`
		One    *item              `yaml:"one"`
		Nested struct{ In item }  `yaml:"nested"`
		Raw    map[string][]int16 `yaml:"raw"`
	}
	item struct {
		Size int `yaml:"size"`
	}
)

func (i *item) Validate() error {
	if i.Size < 0 {
		return streams.FieldErrorf("size", "size is negative")
	}
	return nil
}

func TestValidateReachesEverything(t *testing.T) {
	src := "x:\n  items: [{size: 1}, {size: -1}]\n  named: {a.b: {size: -2}, c: }\n  one: {size: -3}\n  nested: {in: {size: -4}}\n  raw: {a: [1]}\n"
	_, err := Load("f", []byte(src), map[string]any{"x": &outer{}}, nil)
	var problems *Problems
	if !errors.As(err, &problems) || len(problems.List) != 4 {
		t.Fatal(err)
	}
	for i, p := range problems.List {
		if p.Line != i+2 {
			t.Errorf("%v is in the wrong line", p)
		}
	}
}

// FuzzLoad looks for panics, for problems outside of the file, and for secrets
// in messages.
func FuzzLoad(f *testing.F) {
	stories, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(stories) == 0 {
		f.Fatal("no stories", err)
	}
	for _, story := range stories {
		archive, err := txtar.ParseFile(story)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	for _, src := range secretLines {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, err := loadTest(string(src))
		if err == nil {
			return
		}
		lines := splitLines(file.src)
		for _, p := range err.(*Problems).List {
			if p.Line < 1 || p.Line > len(lines)+1 || p.Column < 1 || p.Message == "" {
				t.Errorf("%q: %+v", src, p)
			}
		}
		if !strings.Contains(string(src), topSecret) && strings.Contains(err.Error(), topSecret) {
			t.Errorf("%q:\n%v", src, err)
		}
	})
}

func TestTagOf(t *testing.T) {
	for text, want := range map[string]string{
		"true": "!!bool", "True": "!!str", "": "!!str", "null": "!!str", "~": "!!str", "0": "!!int", "-12": "!!int", "007": "!!str",
		"1.5": "!!float", "0.5": "!!float", "-.5": "!!float", "1e9": "!!float", "1.": "!!float", "00.5": "!!str", ".": "!!str",
		"0x10": "!!str", "1_000": "!!str", ".nan": "!!str", "2020-01-01": "!!str",
	} {
		if got := tagOf(text); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}
