package avro

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// emptyName is the escape of a name without characters.
const emptyName = "_u_"

// EscapeName makes a name that Avro can hold of any text. A character outside
// of [A-Za-z0-9_] and a leading digit become _uXXXX_ with their code point in
// upper-case hexadecimal digits, at least four; so does an underscore that
// would read as the beginning of such an escape. Names of Avro stay as they
// are. [UnescapeName] is the way back, for every text that is UTF-8.
func EscapeName(name string) string {
	if name == "" {
		return emptyName
	}
	var b strings.Builder
	for i, r := range name {
		if plainRune(r, i == 0) && !(r == '_' && likeEscape(name[i:])) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "_u%04X_", r)
		}
	}
	return b.String()
}

func plainRune(r rune, first bool) bool {
	return r == '_' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' && !first
}

// likeEscape says whether s, which begins with an underscore, could be taken for
// an escape, whatever comes behind its first four digits.
func likeEscape(s string) bool {
	return s == emptyName || strings.HasPrefix(s, "_u") && hexDigits(s[2:]) >= 4
}

// hexDigits counts the upper-case hexadecimal digits that s begins with.
func hexDigits(s string) int {
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] >= 'A' && s[n] <= 'F') {
		n++
	}
	return n
}

// UnescapeName returns the text that [EscapeName] made the name of. A name
// without escapes is returned as it is.
func UnescapeName(name string) string {
	if name == emptyName {
		return ""
	}
	if !strings.Contains(name, "_u") {
		return name
	}
	var b strings.Builder
	for name != "" {
		if r, size := escape(name); size > 0 {
			b.WriteRune(r)
			name = name[size:]
			continue
		}
		b.WriteByte(name[0])
		name = name[1:]
	}
	return b.String()
}

// escape reads the escape that s begins with; its size is 0 where there is none.
func escape(s string) (r rune, size int) {
	if !strings.HasPrefix(s, "_u") {
		return 0, 0
	}
	n := hexDigits(s[2:])
	if n < 4 || n > 6 || n > 4 && s[2] == '0' || len(s) == 2+n || s[2+n] != '_' {
		return 0, 0
	}
	code, err := strconv.ParseUint(s[2:2+n], 16, 32)
	if err != nil || !utf8.ValidRune(rune(code)) {
		return 0, 0
	}
	return rune(code), n + 3
}
