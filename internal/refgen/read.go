package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// section is what the page says about a block.
type section struct {
	block
	intro string
	keys  []key
}

// key is one setting.
type key struct{ name, typ, standard, meaning string }

// readSection finds the struct of a block in the source of its package.
func readSection(root string, b block) (section, error) {
	s := section{block: b}
	files, err := filepath.Glob(filepath.Join(root, b.folder, "*.go"))
	if err != nil {
		return s, fmt.Errorf("listing %s: %w", b.folder, err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return s, fmt.Errorf("reading the source of %s: %w", b.folder, err)
		}
		if found, err := s.readFile(f); found || err != nil {
			return s, err
		}
	}
	return s, fmt.Errorf("%s has no struct %s, which block %s is to be documented from", b.folder, b.typ, b.name)
}

// readFile reads the struct where the file declares it.
func (s *section) readFile(f *ast.File) (found bool, err error) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, spec := range g.Specs {
			t := spec.(*ast.TypeSpec)
			if body, ok := t.Type.(*ast.StructType); ok && t.Name.Name == s.typ {
				doc := t.Doc
				if doc == nil {
					doc = g.Doc
				}
				s.intro = strings.Replace(plain(doc.Text()), s.typ+" is", "This is", 1)
				return true, s.readFields(body)
			}
		}
	}
	return false, nil
}

func (s *section) readFields(body *ast.StructType) error {
	for _, f := range body.Fields.List {
		if f.Tag == nil || len(f.Names) != 1 {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			return fmt.Errorf("reading the tag of %s.%s: %w", s.typ, f.Names[0], err)
		}
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		k, err := s.readKey(f, name)
		if err != nil {
			return fmt.Errorf("block %s: %w", s.name, err)
		}
		s.keys = append(s.keys, k)
	}
	return nil
}

func (s *section) readKey(f *ast.Field, name string) (key, error) {
	typ, err := s.typeName(f.Type)
	if err != nil {
		return key{}, fmt.Errorf("%s: %w", name, err)
	}
	text := plain(f.Doc.Text())
	meaning, ok := strings.CutPrefix(text, f.Names[0].Name+" ")
	if !ok {
		return key{}, fmt.Errorf("%s: its comment does not begin with %s", name, f.Names[0])
	}
	// what the column of defaults says need not be said again
	meaning = strings.TrimSpace(alone.ReplaceAllString(meaning, " "))
	k := key{name: name, typ: typ, standard: "–", meaning: "`" + name + "` " + meaning}
	if m := standard.FindStringSubmatch(text); m != nil {
		k.standard = strings.Trim(m[1], `"`)
	} else if needed.MatchString(text) {
		k.standard = "required"
	}
	return k, nil
}

var (
	standard = regexp.MustCompile(`(?:^|\. )Default:? (\S+?)[.,;]?(?: |$)`)
	needed   = regexp.MustCompile(`Required\.|At least one is required\.`)
	alone    = regexp.MustCompile(`(?:^| )(?:Default:? \S+\.|Required\.)(?: |$)`)
	link     = regexp.MustCompile(`\[([A-Za-z.]+)\]`)
)

// plain joins the lines of a comment, without the brackets of its links.
func plain(comment string) string {
	return link.ReplaceAllString(strings.Join(strings.Fields(comment), " "), "$1")
}

// typeNames say what users write for a Go type.
func typeNames() map[string]string {
	return map[string]string{
		"string": "text", "bool": "true or false", "int": "whole number", "int32": "whole number", "int64": "whole number",
		"float64": "number", "time.Duration": "duration", "streams.Size": "size", "streams.Secret": "secret",
	}
}

func (b *block) typeName(e ast.Expr) (string, error) {
	switch t := e.(type) {
	case *ast.ArrayType:
		elem, err := b.typeName(t.Elt)
		return "list of " + elem + "s", err
	case *ast.StarExpr:
		return b.typeName(t.X)
	case *ast.Ident:
		return known(t.Name)
	case *ast.SelectorExpr:
		if name := fmt.Sprintf("%s.%s", t.X, t.Sel); name != "yaml.Node" {
			return known(name)
		}
		return b.rules, nil
	}
	return "", fmt.Errorf("there is no name for its Go type %T", e)
}

func known(goType string) (string, error) {
	if name, ok := typeNames()[goType]; ok {
		return name, nil
	}
	return "", fmt.Errorf("there is no name for its Go type %s; add one to typeNames", goType)
}
