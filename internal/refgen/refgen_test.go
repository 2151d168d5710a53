package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/compaction"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/projection"
	"github.com/millrace/millrace/streams/worker"
)

const root = "../.."

func TestPageIsCurrent(t *testing.T) {
	var want bytes.Buffer
	if err := writePage(&want, root); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, "docs", "reference", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/reference/configuration.md is not current; run: go generate ./internal/refgen")
	}
}

// TestPageTellsTheTruth compares the page with the structs: every setting is on
// it, with the default that WithDefaults gives.
func TestPageTellsTheTruth(t *testing.T) {
	structs := map[string]any{
		"kafka":     kafka.Config{}.WithDefaults(),
		"redis":     projection.RedisConfig{}.WithDefaults(),
		"schemas":   avro.Config{},
		"topics":    kafka.TopicConfig{}.WithDefaults(),
		"admin":     worker.AdminConfig{}.WithDefaults(),
		"projector": projection.Config{}.WithDefaults(),
		"compactor": compaction.Config{}.WithDefaults(),
	}
	for _, b := range blocks() {
		s, err := readSection(root, b)
		if err != nil {
			t.Fatal(err)
		}
		keys := map[string]key{}
		for _, k := range s.keys {
			keys[k.name] = k
		}
		v := reflect.ValueOf(structs[b.name])
		for i := range v.NumField() {
			name := v.Type().Field(i).Tag.Get("yaml")
			if name == "-" {
				continue
			}
			if k, ok := keys[name]; !ok {
				t.Errorf("%s.%s is not on the page", b.name, name)
			} else if is := describe(v.Field(i)); is != k.standard && (is != "" || k.standard != "none" && k.standard != "required" && k.standard != "–") {
				t.Errorf("%s.%s has the default %q, and the page says %q", b.name, name, is, k.standard)
			}
		}
	}
}

// describe returns a default as a comment writes it; empty for none.
func describe(v reflect.Value) string {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.String {
		if v.IsZero() {
			return ""
		}
	}
	text := fmt.Sprint(v.Interface())
	if s, ok := strings.CutSuffix(text, "m0s"); ok {
		return s + "m"
	}
	return text
}

func TestReadingErrors(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"// Name is a text.\n\tName func() `yaml:\"name\"`", "there is no name for its Go type *ast.FuncType"},
		{"// Name is a text.\n\tName uint8 `yaml:\"name\"`", "there is no name for its Go type uint8; add one to typeNames"},
		{"Name string `yaml:\"name\"`", "name: its comment does not begin with Name"},
		{"// It is a text.\n\tName string `yaml:\"name\"`", "name: its comment does not begin with Name"},
	} {
		dir := t.TempDir()
		source := "package p\n\n// T is it.\ntype T struct {\n\t" + c.source + "\n}\n"
		if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readSection(dir, block{name: "p", typ: "T"})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.source, err, c.want)
		}
	}
	if _, err := readSection(root, block{name: "p", folder: "streams", typ: "Nothing"}); err == nil {
		t.Error("a struct that is not there was found")
	}
}
