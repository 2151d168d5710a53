package rules

import (
	"cmp"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/millrace/millrace/streams"
)

// OperatorDoc describes one line of operators.
type OperatorDoc struct {
	Operators string // as they are written, separated by spaces
	Operands  string // the types that they take
	Meaning   string
}

// Operators returns all operators, those that bind tightest first.
func Operators() []OperatorDoc {
	return []OperatorDoc{
		{"??", "any two of one type", "the left side, or the right one where the left is null"},
		{"-", "int, float, decimal", "before a number: its negative"},
		{"*", "numbers", "product; exact, or an error of the record"},
		{"/", "floats", "quotient; ints and decimals are divided by div(a, b, places)"},
		{"%", "ints", "remainder, with the sign of the left side"},
		{"not !", "bool", "true where it is false"},
		{"+ -", "numbers", "sum and difference; exact, or an error of the record"},
		{"+", "strings", "one text behind the other"},
		{"== !=", "any two of one type, null included", "equality; null equals only null; times are equal at one instant"},
		{"< <= > >=", "numbers, times, strings", "order; texts by their bytes"},
		{"in, not in", "any, and a list of values", "one of a list: data.class in [\"A\", \"C\"]"},
		{"contains startsWith endsWith", "strings", "a text in a text; not may stand before them"},
		{"and &&", "bools", "both; the right side is only looked at where the left is true"},
		{"or ||", "bools", "at least one; the right side is only looked at where the left is false"},
		{"? :", "a bool and any two of one type", "cond ? a : b"},
	}
}

func (c *exprCompiler) unary(n *ast.UnaryNode) (operand, bool) {
	o, ok := c.node(n.Node)
	if !ok {
		return o, false
	}
	at := c.place(n)
	switch n.Operator {
	case "not", "!":
		if !c.isBool(o, "the operand of "+n.Operator) {
			return o, false
		}
		bools := o.bools
		return operand{kind: streams.KindBool, at: at, bools: func(e *env) bool { return !bools(e) }}, true
	case "-":
		return c.negative(o, at)
	}
	return c.problem(n, "%s before a value is not supported", n.Operator)
}

func (c *exprCompiler) negative(o operand, at place) (operand, bool) {
	if !numeric(o.kind) {
		c.add(at, "- takes a number, not %s", o.typ())
		return o, false
	}
	if !c.notNull(o, "the operand of -") {
		return o, false
	}
	if o.number() {
		d := o.lit.number.Neg()
		if o.kind == streams.KindInt {
			i, _ := d.Int64() // a literal is at most 1<<63 - 1
			return intAt(at, i), true
		}
		return decimalAt(at, d), true
	}
	return arithmetic("-", at, zeroOf(o.kind, at), o), true
}

// zeroOf returns 0 as that kind of number.
func zeroOf(k streams.Kind, at place) operand {
	if k == streams.KindFloat {
		return intAt(at, 0).float()
	}
	if k == streams.KindDecimal {
		return intAt(at, 0).decimal()
	}
	return intAt(at, 0)
}

// notNull reports an operand that can be null.
func (c *exprCompiler) notNull(o operand, what string) bool {
	switch {
	case o.null == nil:
		return true
	case o.isNil():
		c.add(o.at, "%s is nil", what)
	default:
		c.add(o.at, "%s can be null; write (%s ?? %s)", what, o.called(), exampleOf(o.kind))
	}
	return false
}

// called is the name of the operand for messages.
func (o operand) called() string { return cmp.Or(o.name, "…") }

// exampleOf is a value of the kind, for messages.
func exampleOf(k streams.Kind) string {
	switch k {
	case streams.KindInt, streams.KindFloat, streams.KindDecimal:
		return "0"
	case streams.KindBool:
		return "false"
	case streams.KindTime:
		return "time"
	}
	return `""`
}

func (c *exprCompiler) binary(n *ast.BinaryNode) (operand, bool) {
	switch n.Operator {
	case "in":
		return c.in(n)
	case "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "??",
		"and", "&&", "or", "||", "contains", "startsWith", "endsWith":
	case "matches":
		return c.problem(n, "matches is not supported; there are contains, startsWith and endsWith")
	case "..":
		return c.problem(n, "ranges are not supported; write a <= x and x <= b")
	default:
		return c.problem(n, "%s is not supported", n.Operator)
	}
	a, ok1 := c.node(n.Left)
	b, ok2 := c.node(n.Right)
	if !ok1 || !ok2 {
		return operand{}, false
	}
	at := c.place(n)
	switch n.Operator {
	case "??":
		return c.coalesce(at, a, b)
	case "==", "!=":
		return c.equal(n.Operator, at, a, b)
	}
	left, right := "the left side of "+n.Operator, "the right side of "+n.Operator
	if ok1, ok2 = c.notNull(a, left), c.notNull(b, right); !ok1 || !ok2 {
		return operand{}, false
	}
	switch n.Operator {
	case "and", "&&", "or", "||":
		return c.logic(n.Operator, at, a, b)
	case "contains", "startsWith", "endsWith":
		return c.search(n.Operator, at, a, b)
	case "<", "<=", ">", ">=":
		return c.order(n.Operator, at, a, b)
	}
	return c.calculate(n.Operator, at, a, b)
}

// coalesce compiles a ?? b.
func (c *exprCompiler) coalesce(at place, a, b operand) (operand, bool) {
	if a.isNil() {
		c.add(a.at, "the left side of ?? is nil")
		return a, false
	}
	x, y, ok := common(a, b)
	if !ok {
		c.add(b.at, "both sides of ?? must have one type, but they are %s and %s%s", a.typ(), b.typ(), mixing(a, b))
		return a, false
	}
	if a.null == nil {
		x.at = a.at
		return x, true
	}
	null := x.null
	x.null = nil
	o := c.choose(func(e *env) bool { return !null(e) }, x, y)
	o.at = at
	return o, true
}

func (c *exprCompiler) logic(op string, at place, a, b operand) (operand, bool) {
	if ok1, ok2 := c.isBool(a, "the left side of "+op), c.isBool(b, "the right side of "+op); !ok1 || !ok2 {
		return a, false
	}
	x, y := a.bools, b.bools
	o := operand{kind: streams.KindBool, at: at, bools: func(e *env) bool { return x(e) && y(e) }}
	if op == "or" || op == "||" {
		o.bools = func(e *env) bool { return x(e) || y(e) }
	}
	return o, true
}

func (c *exprCompiler) search(op string, at place, a, b operand) (operand, bool) {
	if a.kind != streams.KindString || b.kind != streams.KindString {
		c.add(at, "%s takes two strings, not %s and %s", op, a.typ(), b.typ())
		return a, false
	}
	find := strings.Contains
	switch op {
	case "startsWith":
		find = strings.HasPrefix
	case "endsWith":
		find = strings.HasSuffix
	}
	x, y := a.texts, b.texts
	return operand{kind: streams.KindBool, at: at, bools: func(e *env) bool { return find(x(e), y(e)) }}, true
}
