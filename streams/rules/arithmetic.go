package rules

import (
	"github.com/millrace/millrace/streams"
)

// calculate compiles + - * / % of two values that cannot be null.
func (c *exprCompiler) calculate(op string, at place, a, b operand) (operand, bool) {
	if op == "+" && a.kind == streams.KindString && b.kind == streams.KindString {
		return concat(at, a, b), true
	}
	if !numeric(a.kind) || !numeric(b.kind) {
		c.add(at, "%s takes two numbers, not %s and %s%s", op, a.typ(), b.typ(), mixing(a, b))
		return a, false
	}
	x, y, ok := common(a, b)
	switch {
	case !ok:
		c.add(at, "%s and %s do not mix%s", a.typ(), b.typ(), mixing(a, b))
	case op == "/" && x.kind != streams.KindFloat:
		ok = false
		c.add(at, "/ does not say how to round; write div(a, b, places)")
	case op == "%" && x.kind != streams.KindInt:
		ok = false
		c.add(at, "%% takes two ints, not %s and %s", a.typ(), b.typ())
	}
	if !ok {
		return a, false
	}
	return arithmetic(op, at, x, y), true
}

// concat builds a text in the scratch memory of the evaluator.
func concat(at place, a, b operand) operand {
	x, y := a.texts, b.texts
	return operand{kind: streams.KindString, at: at, texts: func(e *env) string {
		s, t := x(e), y(e)
		from := len(e.buf)
		e.buf = append(append(e.buf, s...), t...)
		return e.built(at, from)
	}}
}

// arithmetic compiles an operator on two numbers of one kind.
func arithmetic(op string, at place, a, b operand) operand {
	o := operand{kind: a.kind, at: at}
	switch a.kind {
	case streams.KindInt:
		o.ints = intArithmetic(op, at, a.ints, b.ints)
	case streams.KindFloat:
		o.floats = floatArithmetic(op, at, a.floats, b.floats)
	default:
		o.decimals = decimalArithmetic(op, at, a.decimals, b.decimals)
	}
	return o
}

func intArithmetic(op string, at place, a, b fn[int64]) fn[int64] {
	switch op {
	case "+":
		return checked(at, addInt, a, b)
	case "-":
		return checked(at, subInt, a, b)
	case "*":
		return checked(at, mulInt, a, b)
	}
	return func(e *env) int64 {
		x, y := a(e), b(e)
		if y == 0 {
			e.fail(at, streams.ErrDivisionByZero)
			return 0
		}
		return x % y
	}
}

// checked fails where the result of an operation does not fit.
func checked(at place, op func(a, b int64) (int64, bool), a, b fn[int64]) fn[int64] {
	return func(e *env) int64 {
		n, ok := op(a(e), b(e))
		if !ok {
			e.fail(at, ErrOverflow)
		}
		return n
	}
}

func addInt(a, b int64) (int64, bool) {
	s := a + b
	return s, (a^s)&(b^s) >= 0
}

func subInt(a, b int64) (int64, bool) {
	s := a - b
	return s, (a^b)&(a^s) >= 0
}

func mulInt(a, b int64) (int64, bool) {
	return streams.NewDecimal(a, 0).Mul(streams.NewDecimal(b, 0)).Int64()
}

func floatArithmetic(op string, at place, a, b fn[float64]) fn[float64] {
	switch op {
	case "+":
		return func(e *env) float64 { return e.finite(at, a(e)+b(e)) }
	case "-":
		return func(e *env) float64 { return e.finite(at, a(e)-b(e)) }
	case "*":
		return func(e *env) float64 { return e.finite(at, a(e)*b(e)) }
	}
	return func(e *env) float64 {
		x, y := a(e), b(e)
		if y == 0 {
			e.fail(at, streams.ErrDivisionByZero)
			return 0
		}
		return e.finite(at, x/y)
	}
}

func decimalArithmetic(op string, at place, a, b fn[streams.Decimal]) fn[streams.Decimal] {
	switch op {
	case "+":
		return func(e *env) streams.Decimal { return e.ranged(at, a(e).Add(b(e))) }
	case "-":
		return func(e *env) streams.Decimal { return e.ranged(at, a(e).Sub(b(e))) }
	}
	return func(e *env) streams.Decimal { return e.ranged(at, a(e).Mul(b(e))) }
}
