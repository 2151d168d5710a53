package rules

import (
	"cmp"
	"slices"

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

// in compiles a in [b, c]. A null is in no list.
func (c *exprCompiler) in(n *ast.BinaryNode) (operand, bool) {
	a, ok := c.node(n.Left)
	list, isList := n.Right.(*ast.ArrayNode)
	if !isList {
		return c.problem(n, "in takes a list of values: data.class in [\"A\", \"C\"]")
	}
	if len(list.Nodes) == 0 {
		return c.problem(list, "the list behind in is empty")
	}
	all := []operand{a}
	for _, element := range list.Nodes {
		b, found := c.node(element)
		if ok = ok && found; ok && c.element(a, b) {
			all = append(all, b)
		} else {
			ok = false
		}
	}
	if !ok {
		return operand{}, false
	}
	all, ok = oneKind(all)
	if !ok {
		return c.problem(list, "the list behind in must have one type")
	}
	o := operand{kind: streams.KindBool, at: c.place(n), bools: member(all[0], all[1:])}
	if null := a.null; null != nil {
		found := o.bools
		o.bools = func(e *env) bool { return !null(e) && found(e) }
	}
	return o, true
}

// element checks one element of a list.
func (c *exprCompiler) element(a, b operand) bool {
	if b.lit == nil {
		c.add(b.at, "the list behind in may hold only values that are written there; write a == b or …")
		return false
	}
	_, _, ok := common(a, b)
	if !ok || a.isNil() {
		c.add(b.at, "%s cannot be compared with %s", b.typ(), a.typ())
	}
	return ok && !a.isNil()
}

// member says whether a is one of the constants, which have its kind. It
// evaluates a once.
func member(a operand, list []operand) fn[bool] {
	switch a.kind {
	case streams.KindInt:
		return oneOf(a.ints, list, func(o operand) fn[int64] { return o.ints })
	case streams.KindFloat:
		return oneOf(a.floats, list, func(o operand) fn[float64] { return o.floats })
	case streams.KindBool:
		return oneOf(a.bools, list, func(o operand) fn[bool] { return o.bools })
	case streams.KindDecimal:
		decimals := a.decimals
		values := constants(list, func(o operand) fn[streams.Decimal] { return o.decimals })
		return func(e *env) bool {
			d := decimals(e)
			for _, v := range values {
				if d.Cmp(v) == 0 {
					return true
				}
			}
			return false
		}
	}
	return oneOf(a.texts, list, func(o operand) fn[string] { return o.texts })
}

func oneOf[T comparable](a fn[T], list []operand, get func(operand) fn[T]) fn[bool] {
	values := constants(list, get)
	return func(e *env) bool { return slices.Contains(values, a(e)) }
}

func constants[T any](list []operand, get func(operand) fn[T]) []T {
	values := make([]T, len(list))
	for i, o := range list {
		values[i] = get(o)(nil)
	}
	return values
}
