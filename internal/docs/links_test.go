package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/millrace/millrace/internal/e2e"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
)

// TestLinks follows the links between the pages: the file is there, and so is
// the heading.
func TestLinks(t *testing.T) {
	root := e2e.Root(t)
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != root && strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		if filepath.Ext(name) == ".md" {
			follow(t, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func follow(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range link.FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(found[1], "://") {
			continue
		}
		file, anchor, _ := strings.Cut(found[1], "#")
		target := name
		if file != "" {
			target = filepath.Join(filepath.Dir(name), file)
		}
		switch linked, err := os.ReadFile(target); {
		case anchor == "":
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", name, found[1])
			}
		case err != nil || !hasHeading(string(linked), anchor):
			t.Errorf("%s links to %s: there is no such heading", name, found[1])
		}
	}
}

var (
	tableRow = regexp.MustCompile("(?m)^\\| (`.+`) \\| .* \\| (.+) \\|$")
	quoted   = regexp.MustCompile("`([^`]+)`")
)

// TestMapOfFiles looks for the packages and files that architecture.md names.
func TestMapOfFiles(t *testing.T) {
	rows := tableRow.FindAllStringSubmatch(page(t, "architecture.md"), -1)
	if len(rows) < 10 {
		t.Fatalf("found %d packages in the table, want at least 10", len(rows))
	}
	for _, row := range rows {
		for _, folder := range quoted.FindAllStringSubmatch(row[1], -1) {
			if _, err := os.Stat(filepath.Join(e2e.Root(t), folder[1])); err != nil {
				t.Errorf("architecture.md names the package %s, which is not there", folder[1])
			}
		}
		first := quoted.FindStringSubmatch(row[1])[1]
		for _, file := range quoted.FindAllStringSubmatch(row[2], -1) {
			if found, err := filepath.Glob(filepath.Join(e2e.Root(t), first, file[1])); err != nil || len(found) == 0 {
				t.Errorf("architecture.md names %s in %s, which is not there", file[1], first)
			}
		}
	}
}

// hasHeading says whether a page has a heading that an anchor leads to.
func hasHeading(page, anchor string) bool {
	for _, h := range heading.FindAllStringSubmatch(page, -1) {
		id := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', r >= '0' && r <= '9', r >= 'a' && r <= 'z':
				return r
			}
			return -1
		}, strings.ToLower(h[1]))
		if id == anchor {
			return true
		}
	}
	return false
}
