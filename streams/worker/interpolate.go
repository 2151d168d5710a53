package worker

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// variables is where the values of ${…} come from.
type variables struct {
	env  func(name string) (string, bool)
	file func(path string) (string, error)
}

// osVariables are those of the process.
func osVariables() variables { return variables{env: os.LookupEnv, file: readSecret} }

// maxSecretFile bounds what ${file:} reads, in bytes.
const maxSecretFile = 1 << 20

func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !filepath.IsAbs(path) {
		return "", fmt.Errorf("there is no file %s in %s; a relative path begins where the command is started", path, here())
	}
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // it was only read
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxSecretFile {
		return "", fmt.Errorf("%s has more than 1 MiB", path)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
}

// here names the folder that relative paths begin at.
func here() string {
	folder, err := os.Getwd()
	if err != nil {
		return "the working directory"
	}
	return folder
}

// expansion is a text in which the variables are replaced.
type expansion struct {
	text string
	// changed says that there was something to replace.
	changed bool
	// secrets are the parts that came from files.
	secrets []string
}

// expandError is an expression that cannot be replaced.
type expandError struct {
	// expression is the text that is wrong, and nth says how many "${" stand
	// before it in the scalar.
	expression string
	nth        int
	reason     string
}

var variable = regexp.MustCompile(`^(?:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?|file:(.+))$`)

// expand replaces each ${…} of a scalar. All that is wrong is returned.
func (v variables) expand(s string) (expansion, []expandError) {
	var out strings.Builder
	var e expansion
	var errs []expandError
	for nth := 0; ; nth++ {
		at := strings.Index(s, "${")
		if at < 0 {
			break
		}
		e.changed = true
		out.WriteString(s[:at])
		if at > 0 && s[at-1] == '$' {
			out.WriteString("{")
			s = s[at+2:]
			continue
		}
		end := strings.IndexByte(s[at:], '}')
		if end < 0 {
			errs = append(errs, expandError{s[at:], nth, "${ without a closing }; a literal ${ is written $${"})
			s = ""
			break
		}
		expression := s[at : at+end+1]
		value, err := v.value(expression[2:end], &e)
		if err != nil {
			errs = append(errs, expandError{expression, nth, err.Error()})
		}
		nth += strings.Count(expression[2:], "${")
		out.WriteString(value)
		s = s[at+end+1:]
	}
	out.WriteString(s)
	e.text = out.String()
	return e, errs
}

// value returns what stands for the inner text of one ${…}.
func (v variables) value(inner string, e *expansion) (string, error) {
	m := variable.FindStringSubmatch(inner)
	if m == nil {
		return "", fmt.Errorf("this is none of ${VAR}, ${VAR:-default} and ${file:/path}; a literal ${ is written $${")
	}
	if path := m[3]; path != "" {
		text, err := v.file(path)
		if err != nil {
			return "", fmt.Errorf("reading ${file:}: %w", err)
		}
		if text == "" {
			return "", fmt.Errorf("reading ${file:}: %s is empty; write the value into it, or take the setting out", path)
		}
		e.secrets = append(e.secrets, text)
		return text, nil
	}
	name, hasDefault := m[1], strings.Contains(inner, ":-")
	if strings.Contains(m[2], "{") {
		return "", fmt.Errorf("the default of ${%s:-…} ends at the first }, so it cannot hold braces or another ${…}; set %s instead", name, name)
	}
	value, set := v.env(name)
	switch {
	case hasDefault && value == "":
		return m[2], nil
	case !set:
		return "", fmt.Errorf("the environment variable %s is not set; set it, or write ${%s:-default}", name, name)
	}
	return value, nil
}
