package importer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/streams"
)

// keys are those of a line, in the order of what take is given.
var keys = []string{"stream", "version", "type", "time", "data"}

// line is what one line of the input says.
type line struct {
	number  int64
	bytes   int64            // of the input
	stream  streams.StreamID // empty where the line does not tell
	version int64
	kind    string // the event type
	time    string // as written
	data    json.RawMessage
	err     error // why the line is no event
}

// parseLine reads one line strictly. What it returns keeps raw alive.
func parseLine(raw []byte) line {
	var l line
	l.err = l.parse(raw)
	return l
}

func (l *line) parse(raw []byte) error {
	if err := checkJSON(raw); err != nil {
		return err
	}
	values := make([]json.RawMessage, len(keys))
	var wrong error
	err := members(raw, func(key string, value json.RawMessage) {
		switch i := slices.Index(keys, key); {
		case i < 0:
			wrong = cmp.Or(wrong, unknown(key))
		case values[i] != nil:
			wrong = cmp.Or(wrong, fmt.Errorf("key %q stands there twice", key))
		default:
			values[i] = value
		}
	})
	if err != nil {
		return err
	}
	return l.take(values, wrong)
}

// take reads the values. The stream comes first: whatever else is wrong, its
// later lines must wait.
func (l *line) take(values []json.RawMessage, wrong error) error {
	stream, err := parseStream(values[0])
	if err != nil {
		return cmp.Or(wrong, err)
	}
	l.stream = stream
	if wrong != nil {
		return wrong
	}
	for i, key := range keys {
		if values[i] == nil {
			return missing(key)
		}
	}
	if l.version, err = parseVersion(values[1]); err != nil {
		return err
	}
	if l.kind, err = parseType(values[2]); err != nil {
		return err
	}
	if l.time, err = parseTime(values[3]); err != nil {
		return err
	}
	l.data = values[4]
	if l.data[0] != '{' {
		return fmt.Errorf("data: %s is not an object", shorten(l.data))
	}
	return nil
}

func parseStream(raw json.RawMessage) (streams.StreamID, error) {
	if raw == nil {
		return "", missing("stream")
	}
	name, err := text("stream", raw)
	if err != nil {
		return "", err
	}
	stream, err := streams.ParseStreamID(name)
	if err != nil {
		return "", fmt.Errorf("stream: %w", err)
	}
	return stream, nil
}

func missing(key string) error {
	return fmt.Errorf("key %q is missing; a line has %s", key, strings.Join(keys, ", "))
}

func unknown(key string) error {
	if near := streams.Nearest(key, keys); near != "" {
		return fmt.Errorf("unknown key %q; did you mean %q?", key, near)
	}
	return fmt.Errorf("unknown key %q; a line has %s", key, strings.Join(keys, ", "))
}

func parseVersion(raw json.RawMessage) (int64, error) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("version: %s is not a whole number from 1", shorten(raw))
	}
	return n, nil
}

func parseType(raw json.RawMessage) (string, error) {
	s, err := text("type", raw)
	if err == nil && s == "" {
		err = errors.New("type: it is empty")
	}
	return s, err
}

func parseTime(raw json.RawMessage) (string, error) {
	s, err := text("time", raw)
	if err != nil {
		return "", err
	}
	if _, err := streams.ParseTime(s); err != nil {
		return "", fmt.Errorf("time: %w", err)
	}
	return s, nil
}

func text(key string, raw json.RawMessage) (string, error) {
	if raw[0] != '"' {
		return "", fmt.Errorf("%s: %s is not a text", key, shorten(raw))
	}
	return unquote(raw), nil
}

// unquote returns the text of a JSON string that is known to be one.
func unquote(raw json.RawMessage) string {
	if plain := raw[1 : len(raw)-1]; bytes.IndexByte(plain, '\\') < 0 {
		return string(plain)
	}
	var s string
	_ = json.Unmarshal(raw, &s) // checked by json.Valid
	return s
}

// checkJSON checks what encoding/json would mend in silence, too.
func checkJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return fmt.Errorf("not UTF-8 at byte %d", invalidByte(raw))
	}
	if !json.Valid(raw) {
		var v json.RawMessage
		err := json.Unmarshal(raw, &v)
		var se *json.SyntaxError
		if errors.As(err, &se) {
			return fmt.Errorf("not JSON: %w at byte %d", err, se.Offset)
		}
		return fmt.Errorf("not JSON: %w", err)
	}
	if bytes.Contains(raw, []byte(`\u`)) && halfPair(raw) {
		return errors.New(`half of a UTF-16 surrogate pair (\ud800 to \udfff) stands alone`)
	}
	return nil
}

// invalidByte is the number of the first byte that is not UTF-8, from 1.
func invalidByte(raw []byte) int {
	at := 0
	for at < len(raw) {
		r, size := utf8.DecodeRune(raw[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at + 1
}

func shorten(raw []byte) string {
	const most = 40
	if len(raw) <= most {
		return string(raw)
	}
	return strings.ToValidUTF8(string(raw[:most]), "") + "…"
}
