package streams

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// StreamID names a stream: category, '-', key, as in fine-S38735. It is the key
// of the stream's records.
type StreamID string

// ErrStreamID says that a text cannot be a stream ID.
var ErrStreamID = errors.New("not a stream ID")

// ParseStreamID checks that s can be a stream ID: not empty, UTF-8, without
// control characters. The error wraps [ErrStreamID].
func ParseStreamID(s string) (StreamID, error) {
	if s == "" {
		return "", fmt.Errorf("%w: it is empty", ErrStreamID)
	}
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == 0x7f {
			return "", fmt.Errorf("%w: %q has a control character", ErrStreamID, s)
		} else if c >= utf8.RuneSelf {
			return parseUnicode(s)
		}
	}
	return StreamID(s), nil
}

func parseUnicode(s string) (StreamID, error) {
	if !utf8.ValidString(s) {
		return "", fmt.Errorf("%w: %q is not UTF-8", ErrStreamID, s)
	}
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return "", fmt.Errorf("%w: %q has a control character", ErrStreamID, s)
		}
	}
	return StreamID(s), nil
}

// Category is what stands before the first '-'; all of it where there is none.
func (s StreamID) Category() string {
	category, _, _ := strings.Cut(string(s), "-")
	return category
}

// Key is what stands behind the first '-'; empty where there is none.
func (s StreamID) Key() string {
	_, key, _ := strings.Cut(string(s), "-")
	return key
}
