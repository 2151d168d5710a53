package rules

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/millrace/millrace/streams"
)

// exprCompiler turns the syntax tree of one expression into closures.
type exprCompiler struct {
	*problems
	src    source
	scope  *scope
	parsed ast.Node // what tree returned
	fns    []function
	// literal is set where the scalar is not an expression.
	literal *operand
}

// expression compiles the expression; false where it has problems.
func (c *exprCompiler) expression() (operand, bool) {
	tree, ok := c.tree()
	if !ok {
		return operand{}, false
	}
	return c.node(tree)
}

// tree parses the expression and refuses what must not be walked.
func (c *exprCompiler) tree() (ast.Node, bool) {
	tree, at, err := c.src.parse()
	if err != nil {
		c.add(at, "%v", err)
		return nil, false
	}
	if n := repeated(tree); n != nil {
		c.add(c.begin(n), "comparisons cannot be chained; write a < b and b < c")
		return nil, false
	}
	c.parsed = tree
	return tree, true
}

func (c *exprCompiler) place(n ast.Node) place { return c.src.place(n.Location()) }

// begin returns where a name begins; a node of a dotted one stands at its last
// part.
func (c *exprCompiler) begin(n ast.Node) place {
	if parts, ok := dotted(n); ok {
		n = parts[0].node
	}
	return c.place(n)
}

// problem reports what is wrong with a node.
func (c *exprCompiler) problem(n ast.Node, format string, args ...any) (operand, bool) {
	c.add(c.place(n), format, args...)
	return operand{}, false
}

// node compiles a part of the expression. It is the list of what is allowed.
func (c *exprCompiler) node(n ast.Node) (operand, bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return nilAt(c.place(n)), true
	case *ast.BoolNode:
		return boolAt(c.place(n), n.Value), true
	case *ast.StringNode:
		return textAt(c.place(n), n.Value), true
	case *ast.IntegerNode, *ast.FloatNode:
		return c.number(n)
	case *ast.IdentifierNode, *ast.MemberNode:
		return c.name(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.CallNode:
		return c.called(n)
	case *ast.BuiltinNode:
		return c.call(n, n.Name, n.Arguments)
	}
	return c.refused(n)
}

// refused says what to write instead of a node that is not allowed.
func (c *exprCompiler) refused(n ast.Node) (operand, bool) {
	switch n := n.(type) {
	case *ast.ArrayNode:
		return c.problem(n, "a list stands only behind in, or alone as a row key")
	case *ast.ChainNode:
		return c.problem(n, "?. is not needed; data.a.b is null where data.a is null")
	case *ast.BytesNode:
		return c.problem(n, "bytes cannot be written in an expression")
	case *ast.VariableDeclaratorNode, *ast.SequenceNode:
		return c.problem(n, "an expression is one value; let and ; are not supported")
	case *ast.SliceNode:
		return c.problem(n, "parts of texts and lists are not supported")
	case nil:
		c.add(placeOf(c.src.node), "the expression cannot be parsed")
		return operand{}, false
	}
	return c.problem(n, "%s is not supported in an expression", strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", n), "*ast."), "Node"))
}

// number compiles a number from the characters that stand there, exactly.
func (c *exprCompiler) number(n ast.Node) (operand, bool) {
	at := c.place(n)
	d, point, err := writtenNumber(c.src.cut(n.Location()))
	if err != nil {
		return c.problem(n, "%v", err)
	}
	if point {
		return decimalAt(at, d), true
	}
	i, _ := d.Int64()
	return intAt(at, i), true
}

// writtenNumber reads a number as configuration and expressions have them, and
// says whether it has a point. What begins with a 0 is none: it may be octal, or
// the text of a code.
func writtenNumber(s string) (d streams.Decimal, point bool, err error) {
	d, err = streams.ParseDecimal(strings.ReplaceAll(s, "_", ""))
	if digits := strings.TrimPrefix(s, "-"); err != nil || len(digits) > 1 && digits[0] == '0' && digits[1] != '.' {
		return d, false, fmt.Errorf("%q is not a number; write 12, -3 or 1.5", s)
	}
	if point = strings.Contains(s, "."); point {
		if !d.InRange() {
			err = streams.ErrDecimalRange
		}
		return d, true, err
	}
	if _, fits := d.Int64(); !fits {
		err = fmt.Errorf("the number %s does not fit 64 bits", s)
	}
	return d, false, err
}

func (c *exprCompiler) called(n *ast.CallNode) (operand, bool) {
	name, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return c.problem(n.Callee, "only functions can be called; write lower(data.name), not data.name.lower()")
	}
	return c.call(name, name.Value, n.Arguments)
}

// conditional compiles cond ? a : b.
func (c *exprCompiler) conditional(n *ast.ConditionalNode) (operand, bool) {
	if !n.Ternary {
		return c.problem(n, "if is not supported; write cond ? a : b")
	}
	cond, ok1 := c.node(n.Cond)
	a, ok2 := c.node(n.Exp1)
	b, ok3 := c.node(n.Exp2)
	if !ok1 || !ok2 || !ok3 {
		return operand{}, false
	}
	if !c.isBool(cond, "the condition before ?") {
		return operand{}, false
	}
	x, y, ok := common(a, b)
	if !ok {
		c.add(b.at, "both sides of : must have one type, but they are %s and %s%s", a.typ(), b.typ(), mixing(a, b))
		return operand{}, false
	}
	if x.isNil() {
		c.add(a.at, "one side of : must be a value, not nil")
		return operand{}, false
	}
	return c.choose(cond.bools, x, y), true
}

// isBool reports an operand that is not a bool or can be null.
func (c *exprCompiler) isBool(o operand, what string) bool {
	switch {
	case o.kind != streams.KindBool:
		c.add(o.at, "%s must be a bool, not %s", what, o.typ())
	case o.null != nil:
		c.add(o.at, "%s can be null; write (%s ?? false)", what, o.called())
	default:
		return true
	}
	return false
}

// choose returns a where cond holds and else b, which have one kind.
func (c *exprCompiler) choose(cond fn[bool], a, b operand) operand {
	var null fn[bool]
	if a.null != nil || b.null != nil {
		k, an, bn := c.scope.cell(), orNever(a.null), orNever(b.null)
		taken := cond
		null = func(e *env) bool {
			e.chosen[k] = taken(e)
			if e.chosen[k] {
				return an(e)
			}
			return bn(e)
		}
		cond = func(e *env) bool { return e.chosen[k] }
	}
	return operand{
		kind: a.kind, at: a.at, null: null,
		ints: either(cond, a.ints, b.ints), floats: either(cond, a.floats, b.floats),
		bools: either(cond, a.bools, b.bools), texts: either(cond, a.texts, b.texts),
		decimals: either(cond, a.decimals, b.decimals), times: either(cond, a.times, b.times),
	}
}

// either returns nothing for a kind that the operands are not of.
func either[T any](cond fn[bool], a, b fn[T]) fn[T] {
	if a == nil || b == nil {
		return nil
	}
	return func(e *env) T {
		if cond(e) {
			return a(e)
		}
		return b(e)
	}
}

// orNever is for what cannot be null.
func orNever(null fn[bool]) fn[bool] {
	if null == nil {
		return zero[bool]
	}
	return null
}
