package rules

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// rowKey is the compiled row key of a rule.
type rowKey struct {
	text   fn[string] // nil where it has problems
	owners uint64     // which parts are the stream: bit 0 for a text
	at     place
}

// keyShape is what all row keys of a view have in common.
type keyShape struct {
	parts int // 0: a text
	at    place
}

func (s keyShape) String() string {
	if s.parts == 0 {
		return "a text"
	}
	return fmt.Sprintf("a tuple of %d", s.parts)
}

// maxParts is how many parts a tuple may have.
const maxParts = 64

// key compiles the row key of a rule: its own or that of the view.
func (c *compiler) key(s *scope, r *checkedRule) {
	n := r.rule.key
	if n == nil {
		n = c.view.key
	}
	if n == nil {
		if !c.view.broken {
			c.add(r.rule.at, "the rule has no row key, and the view has none; write key: \"=stream\"")
		}
		return
	}
	r.key.at = placeOf(n)
	x := &exprCompiler{problems: &c.problems, scope: s, fns: c.fns, src: source{node: n}}
	r.canonical.key = x
	src, isExpression := expression(n)
	if !isExpression {
		c.literalKey(x, r, n)
		return
	}
	x.src = src
	tree, ok := x.tree()
	if !ok {
		return
	}
	shape := keyShape{at: r.key.at}
	if tuple, isTuple := tree.(*ast.ArrayNode); isTuple {
		x.tupleKey(&r.key, tuple)
		shape.parts = len(tuple.Nodes)
	} else {
		x.textKey(&r.key, tree)
	}
	c.checkShape(shape)
}

func (c *compiler) literalKey(x *exprCompiler, r *checkedRule, n *yaml.Node) {
	o, err := literalOf(n)
	if err != nil {
		c.add(placeOf(n), "%v", err)
		return
	}
	x.literal = &o
	switch {
	case o.kind != streams.KindString:
		c.add(o.at, "a row key must be a text, not %s; put it in quotes", o.typ())
	case o.lit.text == "":
		c.add(o.at, "the row key is empty")
	default:
		r.key.text = o.texts
		c.checkShape(keyShape{0, o.at})
	}
}

// checkShape reports a row key of another shape than the first one.
func (c *compiler) checkShape(s keyShape) {
	if c.shape == nil {
		c.shape = &s
		return
	}
	if c.shape.parts != s.parts {
		c.add(s.at, "this row key is %v, but the one at %v is %v; all rules of a view use one shape", s, c.shape.at, *c.shape)
	}
}

// isStream says whether an expression is the stream and nothing else.
func isStream(n ast.Node) bool {
	name, ok := n.(*ast.IdentifierNode)
	return ok && name.Value == "stream"
}

func (c *exprCompiler) textKey(k *rowKey, tree ast.Node) {
	o, ok := c.node(tree)
	if !ok || !c.notNull(o, "the row key") {
		return
	}
	if o.kind != streams.KindString {
		c.add(c.begin(tree), "a row key must be a text, not %s; write string(…)%s", o.typ(), zoneHint(o.kind))
		return
	}
	if o.lit != nil && o.lit.text == "" {
		c.problem(tree, "the row key is empty")
		return
	}
	k.text = o.texts
	if isStream(tree) {
		k.owners = 1
	}
}

func zoneHint(k streams.Kind) string {
	if k == streams.KindTime {
		return `, or month(t, "as written")`
	}
	return ""
}

func (c *exprCompiler) tupleKey(k *rowKey, tuple *ast.ArrayNode) {
	if len(tuple.Nodes) == 0 || len(tuple.Nodes) > maxParts {
		c.problem(tuple, "a tuple has 1 to %d parts, not %d", maxParts, len(tuple.Nodes))
		return
	}
	var parts []fn[string]
	ok := true
	for i, n := range tuple.Nodes {
		part := c.keyPart(n)
		parts, ok = append(parts, part), ok && part != nil
		if isStream(n) {
			k.owners |= 1 << i
		}
	}
	if ok {
		at := k.at
		k.text = func(e *env) string { return e.tuple(at, parts) }
	}
}

// keyPart compiles one part of a tuple. Numbers that are not exact and times are
// refused: two texts of what a reader takes for one value would be two rows.
func (c *exprCompiler) keyPart(n ast.Node) fn[string] {
	o, ok := c.node(n)
	if !ok || !c.notNull(o, "a part of the row key") {
		return nil
	}
	switch o.kind {
	case streams.KindString, streams.KindInt, streams.KindBool, streams.KindDecimal:
		return textOf(o, o.at)
	case streams.KindFloat:
		c.add(c.begin(n), "a part of a row key must not be a float; write decimal(…)")
	case streams.KindTime:
		c.add(c.begin(n), `a part of a row key must not be a time; write day(…, "as written") or string(…)`)
	default:
		c.add(c.begin(n), "a part of a row key must be a string, int, bool or decimal, not %s", o.typ())
	}
	return nil
}

// tuple joins the parts of a row key.
func (e *env) tuple(at place, parts []fn[string]) string {
	e.parts = e.parts[:0]
	for _, part := range parts {
		e.parts = append(e.parts, part(e))
	}
	from := len(e.buf)
	for i, part := range e.parts {
		if i > 0 {
			e.buf = append(e.buf, '|')
		}
		e.escape(part)
	}
	return e.built(at, from)
}

// escape appends a part of a tuple, so that '|' only stands between parts.
func (e *env) escape(s string) {
	if !strings.ContainsAny(s, "%|") {
		e.buf = append(e.buf, s...)
		return
	}
	for _, c := range []byte(s) {
		switch c {
		case '%':
			e.buf = append(e.buf, "%25"...)
		case '|':
			e.buf = append(e.buf, "%7C"...)
		default:
			e.buf = append(e.buf, c)
		}
	}
}
