package worker

import (
	"fmt"
	"unicode/utf8"

	"github.com/millrace/millrace/streams"
)

// byteOrderMark may begin a file and is no part of its text.
const byteOrderMark = "\ufeff"

// splitLines splits as YAML does: also at NEL, LS and PS.
func splitLines(src []byte) [][]rune {
	lines, line := [][]rune{}, []rune{}
	runes := []rune(string(src))
	for i, r := range runes {
		switch {
		case r == '\r' && i+1 < len(runes) && runes[i+1] == '\n':
		case isBreak(r):
			lines, line = append(lines, line), []rune{}
		default:
			line = append(line, r)
		}
	}
	return append(lines, line)
}

func isBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// checkText finds the first character that no YAML file may hold.
func checkText(src []byte) (streams.Problem, bool) {
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return problemAfter(src[:i], fmt.Sprintf("byte 0x%02x is not UTF-8; save the file as UTF-8", src[i])), true
		case isControl(r):
			return problemAfter(src[:i], fmt.Sprintf("control character U+%04X; remove it, or write it as an escape in double quotes", r)), true
		}
		i += size
	}
	return streams.Problem{}, false
}

func isControl(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' ||
		r >= 0x7f && r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff
}

func problemAfter(src []byte, message string) streams.Problem {
	lines := splitLines(src)
	return streams.Problem{Line: len(lines), Column: len(lines[len(lines)-1]) + 1, Message: message}
}
