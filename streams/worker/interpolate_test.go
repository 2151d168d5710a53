package worker

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain", "plain"},
		{"$SET $ {SET} $$ $", "$SET $ {SET} $$ $"},
		{"${SET}", "value"},
		{"a${SET}b${SET}c", "avaluebvaluec"},
		{"${SET:-x}", "value"},
		{"${EMPTY}", ""},
		{"${EMPTY:-x}", "x"},
		{"${NONE:-}", ""},
		{"${NONE:-a:-b}", "a:-b"},
		{"$${SET}", "${SET}"},
		{"$$${SET}", "$${SET}"},
		{"$${", "${"},
		{"${file:secret}!", topSecret + "!"},
	} {
		e, errs := testVariables().expand(c.in)
		if e.text != c.want || len(errs) > 0 {
			t.Errorf("expand(%q) = %q %v, want %q", c.in, e.text, errs, c.want)
		}
		if changed := strings.Contains(c.in, "${"); e.changed != changed {
			t.Errorf("expand(%q): changed is %v", c.in, e.changed)
		}
		if fromFile := strings.Contains(c.in, "file:"); fromFile != (len(e.secrets) == 1) {
			t.Errorf("expand(%q): secrets %q", c.in, e.secrets)
		}
	}
}

func TestExpandErrors(t *testing.T) {
	for in, want := range map[string]string{
		"${NONE}":         "the environment variable NONE is not set; set it, or write ${NONE:-default}",
		"${}":             "this is none of ${VAR}, ${VAR:-default} and ${file:/path}; a literal ${ is written $${",
		"${A-b}":          "this is none of ${VAR}, ${VAR:-default} and ${file:/path}; a literal ${ is written $${",
		"${9}":            "this is none of ${VAR}, ${VAR:-default} and ${file:/path}; a literal ${ is written $${",
		"${file:}":        "this is none of ${VAR}, ${VAR:-default} and ${file:/path}; a literal ${ is written $${",
		"${file:none}":    "reading ${file:}: open none: no such file",
		"${SET} ${":       "${ without a closing }; a literal ${ is written $${",
		"$${ ${SET ${SET": "${ without a closing }; a literal ${ is written $${",
	} {
		_, errs := testVariables().expand(in)
		if len(errs) != 1 || errs[0].reason != want {
			t.Errorf("expand(%q) = %v, want %q", in, errs, want)
		}
	}
}

func TestReadSecret(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	for content, want := range map[string]string{"a": "a", "a\n": "a", "a\r\n": "a", "a\n\n": "a\n", "": "", "\n": ""} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readSecret(path); got != want || err != nil {
			t.Errorf("%q reads as %q, %v", content, got, err)
		}
	}
	if err := os.WriteFile(path, make([]byte, maxSecretFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readSecret(path); err == nil || !strings.Contains(err.Error(), "more than 1 MiB") {
		t.Errorf("a file that is too long: %v", err)
	}
	if _, err := readSecret(dir); err == nil {
		t.Error("a folder is no secret")
	}
}

// FuzzExpand looks for panics, for results that hold what was to be replaced,
// and for errors without a place.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{"${SET}", "$${X}", "${file:secret}", "${A:-${B}}", "$$${", "}${"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, errs := testVariables().expand(s)
		if !e.changed && e.text != s {
			t.Errorf("%q became %q", s, e.text)
		}
		if slices.ContainsFunc(errs, func(e expandError) bool { return e.nth < 0 || e.nth >= strings.Count(s, "${") }) {
			t.Errorf("%q: %v", s, errs)
		}
	})
}
