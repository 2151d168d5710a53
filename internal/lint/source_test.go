package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/millrace/millrace/"

// file is a Go file that is no test.
type file struct {
	name   string // from the root of the module
	folder string
	ast    *ast.File
	fset   *token.FileSet
}

// imports returns what a file imports that is not of the standard library:
// packages of this module by their folder.
func (f file) imports(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, spec := range f.ast.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if first, _, _ := strings.Cut(p, "/"); strings.Contains(first, ".") {
			paths = append(paths, strings.TrimPrefix(p, module))
		}
	}
	return paths
}

// sources parses every Go file of the module that is no test.
func sources(t *testing.T) []file {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []file
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			if name != root && (strings.HasPrefix(base, ".") || base == "testdata" || base == "tools") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		files = append(files, file{rel, path.Dir(rel), f, fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// importsByFolder returns what each package imports, each once.
func importsByFolder(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, f := range sources(t) {
		all[f.folder] = append(all[f.folder], f.imports(t)...)
	}
	for folder := range all {
		slices.Sort(all[folder])
		all[folder] = slices.Compact(all[folder])
	}
	return all
}

// TestImports holds the table of edges.
func TestImports(t *testing.T) {
	all := importsByFolder(t)
	for _, folder := range slices.Sorted(maps.Keys(all)) {
		allowed, ok := edges[folder]
		if !ok {
			t.Errorf("package %s is not in the table of edges: write down what it may import", folder)
			continue
		}
		for _, p := range all[folder] {
			if !covered(p, allowed) {
				t.Errorf("%s imports %s, which the table of edges does not allow", folder, p)
			}
		}
	}
}

// covered says whether an import is one of those that are allowed: the folder
// itself for a package of this module, any package of a module of others.
func covered(p string, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		return p == a || isTheirs(a) && strings.HasPrefix(p, a+"/")
	})
}

func isTheirs(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return strings.Contains(first, ".")
}

// TestRuntimesAreStrangers guards the table itself: the design allows no edge
// between runtimes, from the shell to one, or from anything to a command.
func TestRuntimesAreStrangers(t *testing.T) {
	runtimes := []string{"streams/projection", "streams/compaction", "streams/saga", "streams/aggregate"}
	for folder, allowed := range edges {
		for _, p := range allowed {
			inner := slices.Contains(runtimes, folder) || folder == "streams/worker"
			if inner && slices.Contains(runtimes, p) {
				t.Errorf("the table allows %s to import %s", folder, p)
			}
			if strings.HasPrefix(p, "cmd/") || strings.HasPrefix(folder, "streams") && strings.HasPrefix(p, "internal/") {
				t.Errorf("the table allows %s to import %s", folder, p)
			}
		}
	}
	for _, p := range edges["streams"] {
		t.Errorf("the table allows the vocabulary to import %s", p)
	}
}

// TestLinks holds what a binary must not be linked with.
func TestLinks(t *testing.T) {
	all := importsByFolder(t)
	for command, forbidden := range links {
		way := map[string]string{command: command} // how each package is reached
		for queue := []string{command}; len(queue) > 0; queue = queue[1:] {
			for _, p := range all[queue[0]] {
				if way[p] == "" {
					way[p] = way[queue[0]] + " -> " + p
					queue = append(queue, p)
				}
			}
		}
		for _, p := range forbidden {
			if way[p] != "" {
				t.Errorf("%s must not be linked with %s: %s", command, p, way[p])
			}
		}
	}
}
