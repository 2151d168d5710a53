package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/millrace/millrace/streams"
)

func length(c *exprCompiler, call call) (operand, bool) {
	x := call.args[0]
	if x.kind != streams.KindString {
		return c.takes(call, "a text")
	}
	return operand{kind: streams.KindInt, at: call.at, ints: func(e *env) int64 {
		return int64(utf8.RuneCountInString(x.texts(e)))
	}}, true
}

func lower(c *exprCompiler, call call) (operand, bool) { return mapped(c, call, unicode.ToLower) }

func upper(c *exprCompiler, call call) (operand, bool) { return mapped(c, call, unicode.ToUpper) }

// mapped compiles a function that replaces each character of a text.
func mapped(c *exprCompiler, call call, to func(rune) rune) (operand, bool) {
	x := call.args[0]
	if x.kind != streams.KindString {
		return c.takes(call, "a text")
	}
	c.scope.table("letters "+call.name, func() string { return letters(to) })
	return operand{kind: streams.KindString, at: call.at, texts: func(e *env) string {
		s := x.texts(e)
		from := len(e.buf)
		for _, r := range s {
			e.buf = utf8.AppendRune(e.buf, to(r))
		}
		return e.built(call.at, from)
	}}, true
}

// letters is a hash of what each character becomes. Unicode gets new letters,
// some of which belong to older ones, and Go gets them with a version.
func letters(to func(rune) rune) string {
	h := sha256.New()
	for _, r := range unicode.CaseRanges {
		for c := rune(r.Lo); c <= rune(r.Hi); c++ {
			if to(c) != c {
				fmt.Fprintln(h, c, to(c))
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// whiteSpace is what Unicode calls so, and has not changed since 2013.
const whiteSpace = "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"

func trim(c *exprCompiler, call call) (operand, bool) {
	x := call.args[0]
	if x.kind != streams.KindString {
		return c.takes(call, "a text")
	}
	return operand{kind: streams.KindString, at: call.at, texts: func(e *env) string {
		return strings.Trim(x.texts(e), whiteSpace)
	}}, true
}
