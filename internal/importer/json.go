package importer

import (
	"encoding/json"
	"errors"
	"strconv"
)

// members hands the members of a JSON object to fn, in order, duplicates
// included, keys as they are written. The text must be valid JSON.
func members(raw []byte, fn func(key string, value json.RawMessage)) error {
	i := space(raw, 0)
	if raw[i] != '{' {
		return errors.New("the line is not a JSON object")
	}
	for i = space(raw, i+1); raw[i] != '}'; i = space(raw, i) {
		if raw[i] == ',' {
			i = space(raw, i+1)
		}
		end := skipString(raw, i)
		key := unquote(raw[i:end])
		i = space(raw, space(raw, end)+1) // the colon
		end = skipValue(raw, i)
		fn(key, raw[i:end])
		i = end
	}
	return nil
}

func space(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\t' || raw[i] == '\n' || raw[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the index behind the string that begins at i.
func skipString(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// skipValue returns the index behind the value that begins at i.
func skipValue(raw []byte, i int) int {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			i = skipString(raw, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // the end of what a number or a name stands in
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

// halfPair tells whether an escaped UTF-16 surrogate of valid JSON lacks its
// other half. encoding/json would read U+FFFD there.
func halfPair(raw []byte) bool {
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			i++
			continue
		}
		unit := escaped(raw[i:])
		switch {
		case unit >= 0xd800 && unit < 0xdc00:
			if low := escaped(raw[i+6:]); low < 0xdc00 || low > 0xdfff {
				return true
			}
			i += 12
		case unit >= 0xdc00 && unit <= 0xdfff:
			return true
		default:
			i += 2
		}
	}
	return false
}

// escaped is the UTF-16 unit of an escape \uXXXX at the beginning of raw, 0
// where there is none.
func escaped(raw []byte) uint16 {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}
