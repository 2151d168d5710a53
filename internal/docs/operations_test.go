package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/internal/e2e"
	"github.com/millrace/millrace/streams/compaction"
	"github.com/millrace/millrace/streams/projection"
)

// collected is a registry that only keeps what is registered.
type collected struct {
	prometheus.Registerer
	collectors []prometheus.Collector
}

// MustRegister implements [prometheus.Registerer].
func (c *collected) MustRegister(cs ...prometheus.Collector) {
	c.collectors = append(c.collectors, cs...)
}

var (
	describedName   = regexp.MustCompile(`fqName: "([^"]+)"`)
	describedLabels = regexp.MustCompile(`variableLabels: {([^}]*)}`)
)

// metrics returns the metrics of the workers with their labels.
func metrics() map[string]string {
	var r collected
	projection.NewMetrics(&r)
	compaction.NewMetrics(&r)
	described := make(chan *prometheus.Desc)
	go func() {
		defer close(described)
		for _, c := range r.collectors {
			c.Describe(described)
		}
	}()
	labels := map[string]string{}
	for d := range described {
		labels[describedName.FindStringSubmatch(d.String())[1]] = strings.ReplaceAll(describedLabels.FindStringSubmatch(d.String())[1], ",", ", ")
	}
	return labels
}

// TestMetricsAreDocumented compares the table of metrics with the registry.
func TestMetricsAreDocumented(t *testing.T) {
	_, rest, _ := strings.Cut(page(t, "operations.md"), "<!-- metrics -->")
	table, _, ok := strings.Cut(rest, "<!-- end -->")
	if !ok {
		t.Fatal("operations.md has no table of metrics")
	}
	documented := map[string]string{}
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) > 4 && strings.Contains(cells[1], "`") {
			documented[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[3])
		}
	}
	delete(documented, "millrace_build_info") // of the shell
	for name, labels := range metrics() {
		if got, ok := documented[name]; !ok {
			t.Errorf("operations.md does not name the metric %s", name)
		} else if got != labels {
			t.Errorf("operations.md gives %s the labels %q, it has %q", name, got, labels)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("operations.md names the metric %s, which is not there", name)
	}
}

// TestLogLinesAreDocumented looks for every Warn and Error line of the worker's
// packages.
func TestLogLinesAreDocumented(t *testing.T) {
	text := page(t, "operations.md")
	lines := 0
	for _, folder := range []string{"streams/kafka", "streams/projection", "streams/compaction", "streams/internal/follow", "streams/worker"} {
		for _, line := range logged(t, folder) {
			lines++
			if !strings.Contains(text, line) {
				t.Errorf("operations.md does not explain the line %q of %s", line, folder)
			}
		}
	}
	if lines < 5 {
		t.Errorf("found %d lines that are logged; the search is broken", lines)
	}
}

// logged returns the literal texts that a package logs at Warn and Error.
func logged(t *testing.T, folder string) (lines []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(e2e.Root(t), folder, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no Go files in %s: %v", folder, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				lines = append(lines, message(call)...)
			}
			return true
		})
	}
	return lines
}

// message is the text of a call that logs one at Warn or Error.
func message(call *ast.CallExpr) []string {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Warn", "WarnContext", "Error", "ErrorContext"}, method.Sel.Name) {
		return nil
	}
	for _, arg := range call.Args {
		if text, ok := arg.(*ast.BasicLit); ok && text.Kind == token.STRING {
			if s, err := strconv.Unquote(text.Value); err == nil {
				return []string{s}
			}
		}
	}
	return nil
}

func page(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(e2e.Root(t), "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
