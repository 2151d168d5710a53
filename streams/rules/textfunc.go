package rules

import (
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
	return operand{kind: streams.KindString, at: call.at, texts: func(e *env) string {
		s := x.texts(e)
		from := len(e.buf)
		for _, r := range s {
			e.buf = utf8.AppendRune(e.buf, to(r))
		}
		return e.built(call.at, from)
	}}, true
}

func trim(c *exprCompiler, call call) (operand, bool) {
	x := call.args[0]
	if x.kind != streams.KindString {
		return c.takes(call, "a text")
	}
	return operand{kind: streams.KindString, at: call.at, texts: func(e *env) string {
		return strings.TrimSpace(x.texts(e))
	}}, true
}
