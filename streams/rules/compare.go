package rules

import (
	"cmp"

	"github.com/expr-lang/expr/ast"
	"github.com/millrace/millrace/streams"
)

// order compiles < <= > >= of two values that cannot be null.
func (c *exprCompiler) order(op string, at place, a, b operand) (operand, bool) {
	x, y, ok := common(a, b)
	if !ok {
		c.add(at, "%s and %s cannot be compared%s", a.typ(), b.typ(), mixing(a, b))
		return a, false
	}
	o := operand{kind: streams.KindBool, at: at}
	switch x.kind {
	case streams.KindInt:
		o.bools = ordered(op, x.ints, y.ints)
	case streams.KindFloat:
		o.bools = ordered(op, x.floats, y.floats)
	case streams.KindString:
		o.bools = ordered(op, x.texts, y.texts)
	case streams.KindTime:
		o.bools = ordered(op, instants(x), instants(y))
	case streams.KindDecimal:
		p, q := x.decimals, y.decimals
		o.bools = ordered(op, func(e *env) int { return p(e).Cmp(q(e)) }, zero[int])
	default:
		c.add(at, "%s has no order", x.kind)
		return a, false
	}
	return o, true
}

func instants(o operand) fn[int64] {
	times := o.times
	return func(e *env) int64 { return times(e).Nanos }
}

func ordered[T cmp.Ordered](op string, a, b fn[T]) fn[bool] {
	switch op {
	case "<":
		return func(e *env) bool { return a(e) < b(e) }
	case "<=":
		return func(e *env) bool { return a(e) <= b(e) }
	case ">":
		return func(e *env) bool { return a(e) > b(e) }
	}
	return func(e *env) bool { return a(e) >= b(e) }
}

// equal compiles == and !=.
func (c *exprCompiler) equal(op string, at place, a, b operand) (operand, bool) {
	o := operand{kind: streams.KindBool, at: at}
	switch {
	case a.isNil() && b.isNil():
		c.add(at, "both sides of %s are nil", op)
		return a, false
	case a.isNil():
		o.bools = orNever(b.null)
	case b.isNil():
		o.bools = orNever(a.null)
	default:
		x, y, ok := common(a, b)
		if !ok {
			c.add(at, "%s and %s cannot be compared%s", a.typ(), b.typ(), mixing(a, b))
			return a, false
		}
		o.bools = same(x, y)
	}
	if op == "!=" {
		bools := o.bools
		o.bools = func(e *env) bool { return !bools(e) }
	}
	return o, true
}

// same says whether two operands of one kind are equal; null equals only null.
func same(a, b operand) fn[bool] {
	eq := sameValue(a, b)
	if a.null == nil && b.null == nil {
		return eq
	}
	an, bn := orNever(a.null), orNever(b.null)
	return func(e *env) bool {
		x, y := an(e), bn(e)
		return x == y && (x || eq(e))
	}
}

func sameValue(a, b operand) fn[bool] {
	switch a.kind {
	case streams.KindInt:
		return equals(a.ints, b.ints)
	case streams.KindFloat:
		return equals(a.floats, b.floats)
	case streams.KindBool:
		return equals(a.bools, b.bools)
	case streams.KindTime:
		return equals(instants(a), instants(b))
	case streams.KindDecimal:
		x, y := a.decimals, b.decimals
		return func(e *env) bool { return x(e).Cmp(y(e)) == 0 }
	}
	return equals(a.texts, b.texts)
}

func equals[T comparable](a, b fn[T]) fn[bool] {
	return func(e *env) bool { return a(e) == b(e) }
}

// in compiles a in [b, c]. The elements are compared one by one: a null is in no
// list.
func (c *exprCompiler) in(n *ast.BinaryNode) (operand, bool) {
	a, ok := c.node(n.Left)
	list, isList := n.Right.(*ast.ArrayNode)
	if !isList {
		return c.problem(n, "in takes a list of values: data.class in [\"A\", \"C\"]")
	}
	if len(list.Nodes) == 0 {
		return c.problem(list, "the list behind in is empty")
	}
	var all []fn[bool]
	for _, element := range list.Nodes {
		b, found := c.node(element)
		if !found || !ok {
			ok = false
			continue
		}
		eq, fine := c.element(a, b)
		all, ok = append(all, eq), ok && fine
	}
	if !ok {
		return operand{}, false
	}
	null := orNever(a.null)
	return operand{kind: streams.KindBool, at: c.place(n), bools: func(e *env) bool {
		if null(e) {
			return false
		}
		for _, eq := range all {
			if eq(e) {
				return true
			}
		}
		return false
	}}, true
}

// element compiles the comparison with one element of a list.
func (c *exprCompiler) element(a, b operand) (fn[bool], bool) {
	if b.lit == nil {
		c.add(b.at, "the list behind in may hold only values that are written there; write a == b or …")
		return nil, false
	}
	x, y, ok := common(a, b)
	if !ok || a.isNil() {
		c.add(b.at, "%s cannot be compared with %s", b.typ(), a.typ())
		return nil, false
	}
	return sameValue(x, y), true
}
