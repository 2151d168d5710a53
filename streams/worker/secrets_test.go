package worker

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace/millrace/streams"
)

const topSecret = "hunter22"

// testVariables knows the variable SET and the file secret.
func testVariables() variables {
	return variables{
		env: func(name string) (string, bool) {
			value, ok := map[string]string{"SET": "value", "EMPTY": ""}[name]
			return value, ok
		},
		file: func(path string) (string, error) {
			if path != "secret" {
				return "", fmt.Errorf("open %s: no such file", path)
			}
			return topSecret, nil
		},
	}
}

func loadTest(src string) (*File, error) {
	app := testApp()
	return load(&File{Name: "tiny.yaml", src: trimMark([]byte(src))}, app.Blocks, KnownBlocks(), testVariables())
}

// secretLines are ways to write a secret, with a problem beside it.
var secretLines = []string{
	"kafka:\n  sasl:\n    password: hunter22\n    pasword: hunter22\n",
	"kafka:\n  sasl: {password: hunter22, usr: bob}\n",
	"kafka:\n  sasl: {password: 'hunter22', usr: bob}\n",
	"kafka:\n  sasl: {\"password\": \"hunter22\", usr: bob}\n",
	"kafka: {sasl: {password: hunter22}, linger: 5}\n",
	"kafka:\n  sasl:\n    password: |\n      hunter22\n      -hunter22\n    usr: bob\n",
	"kafka:\n  sasl:\n    password: >-\n\n      hunter22\n    usr: bob\n",
	"kafka:\n  sasl:\n    password:\n      hunter22\n      hunter22: x\n",
	"kafka:\n  sasl:\n    password: [hunter22]\n",
	"kafka:\n  sasl:\n    password: {hunter22: hunter22}\n",
	"kafka:\n  sasl:\n    password: !!int hunter22\n",
	"kafka:\n  sasl:\n    password: &a hunter22\n",
	"kafka:\n  sasl:\n    password: *hunter22\n",
	"kafka:\n  sasl:\n    password: @hunter22\n",
	"kafka:\n  sasl:\n    password: hunter22: hunter22\n",
	"kafka:\n  sasl:\n    password: \"a\n      hunter22\n      hunter22\n",
	"kafka:\n  sasl:\n    password: 'it''s hunter22' x\n",
	"kafka:\n  sasl:\n    ? password\n    : hunter22: hunter22\n",
	"kafka:\n  sasl:\n    password: hunter22\n    password: hunter22\n",
	"kafka:\n  sasl:\n    'password': hunter22\n   user: x\n",
	"redis:\n  token: hunter22\n  a: b: c\n",
	"redis: {db_password: hunter22, a: b: c}\n",
	"kafka:\n  retries: ${file:secret}\n  linger: x${file:secret}\n",
	"kafka:\n  linger: ${file:secret}\n  fold_memory: ${file:secret}\n  ratio: ${file:secret}\n",
	"kafka:\n  brokers: [\"${file:secret}\"]\n",
	"topics: {a: {partitioner: \"${file:secret}\"}}\n",
}

func TestSecretsAreNotShown(t *testing.T) {
	for _, src := range secretLines {
		_, err := loadTest(src)
		if err == nil {
			t.Errorf("%q has no problem", src)
		} else if strings.Contains(err.Error(), topSecret) {
			t.Errorf("%q shows the secret:\n%v", src, err)
		}
	}
}

// TestSecretsAreNotShownAnywhere puts a problem on every character of a file.
func TestSecretsAreNotShownAnywhere(t *testing.T) {
	for _, src := range secretLines {
		f, _ := loadTest(src)
		for i, line := range splitLines(f.src) {
			for j := range len(line) + 1 {
				f.Add(streams.Problem{Line: i + 1, Column: j + 1, Message: "here"})
			}
		}
		f.problems = slices.DeleteFunc(f.problems, func(p streams.Problem) bool { return p.Message != "here" })
		shown := f.Err().(*Problems)
		for i := range shown.lines {
			if text := shown.lines[i].excerpt(1); strings.Contains(text, topSecret) {
				t.Errorf("%q shows line %d:%s", src, i+1, text)
			}
		}
	}
}

// TestSecretsProperty writes a random secret in random styles.
func TestSecretsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[a-zA-Z0-9#:,'"{}\[\]*&!|>%@ \\-]{5,20}`).Draw(t, "secret")
		marked := "Q7Q" + secret + "Q7Q"
		key := rapid.SampledFrom([]string{"password", "pasword", "'password'", "Password", "api_token"}).Draw(t, "key")
		value := rapid.SampledFrom([]string{marked, fmt.Sprintf("%q", marked), "'" + strings.ReplaceAll(marked, "'", "''") + "'", "|\n      " + marked, "\n      " + marked, marked + "\n      " + marked}).Draw(t, "value")
		tail := rapid.SampledFrom([]string{"", "    usr: x\n", "  usr: {\n", " bad\n"}).Draw(t, "tail")
		src := "kafka:\n  sasl:\n    " + key + ": " + value + "\n" + tail
		f, _ := loadTest(src)
		for i := range splitLines(f.src) {
			f.Add(streams.Problem{Line: i + 1, Column: 1, Message: "here"})
		}
		if shown := f.Err().Error(); strings.Contains(shown, "Q7Q") {
			t.Fatalf("%s\nis shown as\n%s", src, shown)
		}
	})
}

func TestAddScrubs(t *testing.T) {
	f, _ := loadTest("kafka:\n  brokers: [\"${file:secret}:1\"]\n  sasl: {user: a, password: \"s3\\tret\"}\n")
	f.Add(streams.Problem{Line: 1, Column: 1, Message: fmt.Sprintf("%q and %s and %q", topSecret, topSecret+":1", "s3\tret")})
	f.Problemf("kafka.sasl", "with %s", topSecret)
	want := "tiny.yaml:1:1: \"[REDACTED]\" and [REDACTED] and \"[REDACTED]\"\n    kafka:\n    ^\n" +
		"tiny.yaml:3:9: with [REDACTED]\n      sasl: {user: a, password: [REDACTED]}\n            ^"
	if got := f.Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// refusedError holds a secret and does not tell it.
type refusedError struct{ sasl saslBlock }

func (e refusedError) Error() string { return "an error is shown" + e.sasl.User }

func TestLogsRedactSecrets(t *testing.T) {
	type inner struct{ password streams.Secret }
	values := map[string]any{
		"plain":   streams.Secret(topSecret),
		"struct":  saslBlock{User: "bob", Password: topSecret},
		"pointer": &saslBlock{User: "bob", Password: topSecret},
		"hidden":  inner{topSecret},
		"list":    []streams.Secret{topSecret},
		"map":     map[string]inner{"a": {topSecret}},
	}
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log := newLogger(&out, format, slog.LevelInfo)
		for _, key := range slices.Sorted(maps.Keys(values)) {
			log.Info("m", key, values[key], slog.Group("g", key, values[key]))
		}
		log.Debug("not at this level")
		log.Info("m", KeyError, refusedError{saslBlock{Password: topSecret}}, "nothing", nil)
		if got := out.String(); strings.Contains(got, topSecret) || strings.Count(got, "\n") != len(values)+1 {
			t.Errorf("%s", got)
		} else if !strings.Contains(got, "an error is shown") {
			t.Errorf("the error is not shown: %s", got)
		}
	}
}
