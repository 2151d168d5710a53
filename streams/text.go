package streams

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// Redacted is what a [Secret] prints as.
const Redacted = "[REDACTED]"

// Secret is a text that is never printed: not by fmt, slog, JSON or YAML.
// string(s) is its value.
type Secret string

// String returns [Redacted].
func (Secret) String() string { return Redacted }

// GoString returns [Redacted].
func (Secret) GoString() string { return Redacted }

// Format writes [Redacted], also for verbs that do not suit a text.
func (Secret) Format(s fmt.State, _ rune) { fmt.Fprint(s, Redacted) }

// LogValue returns [Redacted].
func (Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText returns [Redacted].
func (Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// UnmarshalText takes the text as the secret.
func (s *Secret) UnmarshalText(b []byte) error { *s = Secret(b); return nil }

// Size is a number of bytes, written with a suffix: 256KiB, 64MiB, 1GiB.
type Size int64

// The units of a [Size].
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

var units = []struct {
	suffix string
	size   Size
}{{"KiB", KiB}, {"MiB", MiB}, {"GiB", GiB}, {"B", 1}}

// String returns the size in the largest unit that gives a whole number.
func (s Size) String() string {
	for _, u := range []int{2, 1, 0} {
		if s != 0 && s%units[u].size == 0 {
			return strconv.FormatInt(int64(s/units[u].size), 10) + units[u].suffix
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// MarshalText returns the text of String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a whole number and one of the suffixes B, KiB, MiB, GiB.
func (s *Size) UnmarshalText(b []byte) error {
	for _, u := range units {
		digits, ok := strings.CutSuffix(string(b), u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > int64(1<<62)/int64(u.size) {
			break
		}
		*s = Size(n) * u.size
		return nil
	}
	return fmt.Errorf("%q is not a size; write it with a suffix: 64MiB", b)
}
