package avro

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

var (
	errObject    = errors.New("it is not a JSON object")
	errJSONUTF8  = errors.New("it is not UTF-8")
	errSurrogate = errors.New(`half of a UTF-16 surrogate pair (\ud800 to \udfff) stands alone`)
)

// parseJSON returns the object of a text that is one, its numbers as written.
// What encoding/json would mend in silence is an error: text that is not UTF-8,
// half of a surrogate pair, a key that stands in an object twice.
func parseJSON(data json.RawMessage) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, errJSONUTF8
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is more than one JSON value")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errObject
	}
	s := jsonScanner{text: data}
	s.value()
	return object, s.err
}

// jsonScanner walks valid JSON and looks for what must not be there.
type jsonScanner struct {
	text []byte
	i    int
	err  error // the first one
}

// next is the next character that is not white space.
func (s *jsonScanner) next() byte {
	for s.text[s.i] <= ' ' {
		s.i++
	}
	return s.text[s.i]
}

func (s *jsonScanner) value() {
	switch s.next() {
	case '{':
		s.object()
	case '[':
		for s.i++; s.next() != ']'; {
			if s.value(); s.next() == ',' {
				s.i++
			}
		}
		s.i++
	case '"':
		s.string()
	default: // a number or a name, which ends before what follows a value
		for s.i < len(s.text) && !bytes.ContainsRune([]byte(",]} \t\r\n"), rune(s.text[s.i])) {
			s.i++
		}
	}
}

// manyKeys is from where on the keys of an object are looked up in a map.
const manyKeys = 32

func (s *jsonScanner) object() {
	var few [manyKeys]string
	keys, many := few[:0], map[string]bool(nil)
	for s.i++; s.next() != '}'; {
		key := s.string()
		if many[key] || many == nil && slices.Contains(keys, key) {
			s.fail(fmt.Errorf("the key %s stands in one object twice", shown(key)))
		}
		switch {
		case many != nil:
			many[key] = true
		case len(keys) == manyKeys:
			many = map[string]bool{key: true}
			for _, k := range keys {
				many[k] = true
			}
		default:
			keys = append(keys, key)
		}
		s.next() // the colon
		s.i++
		if s.value(); s.next() == ',' {
			s.i++
			s.next()
		}
	}
	s.i++
}

// string returns the text of the string that begins here.
func (s *jsonScanner) string() string {
	from, escaped := s.i, false
	for s.i++; s.text[s.i] != '"'; s.i++ {
		if s.text[s.i] == '\\' {
			escaped = true
			s.i++
		}
	}
	s.i++
	raw := s.text[from:s.i]
	if !escaped {
		return view(raw[1 : len(raw)-1])
	}
	if halfPair(raw) {
		s.fail(errSurrogate)
	}
	var text string
	_ = json.Unmarshal(raw, &text) // it is valid
	return text
}

func (s *jsonScanner) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// halfPair says whether an escaped UTF-16 surrogate of a JSON string lacks its
// other half.
func halfPair(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		unit := surrogate(raw[i:])
		switch {
		case unit == 0:
			i++ // what is escaped
		case unit >= 0xdc00:
			return true
		default:
			if surrogate(raw[i+6:]) < 0xdc00 {
				return true
			}
			i += 11
		}
	}
	return false
}

// surrogate is the surrogate that an escape \uXXXX at the beginning of raw is, 0
// where there is none.
func surrogate(raw []byte) uint64 {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(view(raw[2:6]), 16, 16)
	if err != nil || n < 0xd800 || n > 0xdfff {
		return 0
	}
	return n
}
