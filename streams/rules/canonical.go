package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/millrace/millrace/streams"
)

// canonicalVersion is raised when the same rules give other results.
const canonicalVersion = 1

// canonicalRule is what the canonical text says about a rule.
type canonicalRule struct {
	when, key *exprCompiler
	remove    bool
	changes   []canonicalChange
}

type canonicalChange struct {
	op    Op
	field string
	value *exprCompiler // nil for an unset
}

// canonicalText writes a checked view down.
func (c *compiler) canonicalText(fields []Field) string {
	var b strings.Builder
	fmt.Fprintf(&b, "rules %d\n", canonicalVersion)
	for _, f := range fields {
		fmt.Fprintf(&b, "field %s %s %s\n", f.Name, f.Family, f.Type.Kind)
	}
	if c.snapshot != nil {
		c.snapshot.write(&b, "snapshot")
	}
	c.writeEvents(&b)
	return b.String()
}

// canonicalText writes a checked fold down.
func (c *foldCompiler) canonicalText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "rules %d\nstate %s\n", canonicalVersion, strconv.QuoteToASCII(c.state.name))
	for _, f := range c.state.fields {
		fmt.Fprintf(&b, "field %s %s", f.name, f.typ)
		f.write(&b)
	}
	if c.gone != nil {
		fmt.Fprintf(&b, "gone %s\n", c.gone.text.canonical())
		c.gone.scope.writeTables(&b)
	}
	c.writeEvents(&b)
	return b.String()
}

func (c *checker) writeEvents(b *strings.Builder) {
	events := slices.Clone(c.events)
	slices.SortFunc(events, func(a, b *checkedEvent) int { return cmp.Compare(a.eventType, b.eventType) })
	for _, ev := range events {
		ev.write(b, "on")
	}
}

func (ev *checkedEvent) write(b *strings.Builder, as string) {
	fmt.Fprintf(b, "%s %s\n", as, strconv.QuoteToASCII(ev.eventType))
	ev.scope.writePaths(b)
	ev.scope.writeTables(b)
	for _, r := range ev.rules {
		r.canonical.write(b)
	}
}

func (s *scope) writePaths(b *strings.Builder) {
	order := make([]int, len(s.paths))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(s.paths[i], s.paths[j]) })
	for _, i := range order {
		fmt.Fprintf(b, "  %s.%s %s", s.names.data, s.paths[i], s.kinds[i].typ)
		s.kinds[i].write(b)
	}
}

// write says what a reader takes for the values of a path.
func (t *pathType) write(b *strings.Builder) {
	b.WriteString(", defaults")
	for _, d := range t.defaults {
		if d == "" {
			b.WriteString(" none")
		} else {
			fmt.Fprintf(b, " %s", strconv.QuoteToASCII(d))
		}
	}
	for _, r := range t.readings {
		if r != "" {
			fmt.Fprintf(b, ", read by %s", strconv.QuoteToASCII(r))
		}
	}
	b.WriteByte('\n')
}

// writeTables writes down what the rules read of tables that are not ours: a
// machine with another zone database, or a program with another version of
// Unicode, gives other rows.
func (s *scope) writeTables(b *strings.Builder) {
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		fmt.Fprintf(b, "  %s %s\n", name, s.tables[name])
	}
}

func (r *canonicalRule) write(b *strings.Builder) {
	b.WriteString("  rule\n")
	if r.when != nil {
		fmt.Fprintf(b, "    when %s\n", r.when.canonical())
	}
	if r.key != nil {
		fmt.Fprintf(b, "    key %s\n", r.key.canonical())
	}
	if r.remove {
		b.WriteString("    delete\n")
	}
	changes := slices.Clone(r.changes)
	slices.SortFunc(changes, func(a, b canonicalChange) int {
		return cmp.Or(cmp.Compare(a.op, b.op), cmp.Compare(a.field, b.field))
	})
	for _, c := range changes {
		fmt.Fprintf(b, "    %s %s", c.op, c.field)
		if c.op != OpUnset {
			fmt.Fprintf(b, " %s", c.value.canonical())
		}
		b.WriteByte('\n')
	}
}

// canonical writes an expression or a literal without what only looks.
func (c *exprCompiler) canonical() string {
	if c.literal != nil {
		return c.literal.canonical()
	}
	return c.text(c.parsed)
}

// canonical writes a value that stands in the configuration.
func (o operand) canonical() string {
	switch o.kind {
	case streams.KindString:
		return strconv.QuoteToASCII(o.lit.text)
	case streams.KindBool:
		return strconv.FormatBool(o.bools(nil))
	case streams.KindInt:
		return o.lit.number.String()
	case streams.KindDecimal:
		s := o.lit.number.String()
		if !strings.Contains(s, ".") {
			s += ".0" // 1.0 goes with floats as 1 does, but is a decimal by itself
		}
		return s
	}
	return "nil"
}

// text writes a node that has been compiled.
func (c *exprCompiler) text(n ast.Node) string {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if isNumber(n.Node) && n.Operator == "-" {
			o, _ := c.node(n)
			return o.canonical()
		}
		return fmt.Sprintf("(%s %s)", plainOperator(n.Operator), c.text(n.Node))
	case *ast.BinaryNode:
		return fmt.Sprintf("(%s %s %s)", c.text(n.Left), plainOperator(n.Operator), c.text(n.Right))
	case *ast.ConditionalNode:
		return fmt.Sprintf("(%s ? %s : %s)", c.text(n.Cond), c.text(n.Exp1), c.text(n.Exp2))
	case *ast.ArrayNode:
		return "[" + c.texts(n.Nodes) + "]"
	case *ast.BuiltinNode:
		return n.Name + "(" + c.texts(n.Arguments) + ")"
	case *ast.CallNode:
		return c.text(n.Callee) + "(" + c.texts(n.Arguments) + ")"
	case *ast.IdentifierNode:
		return n.Value
	case *ast.MemberNode:
		parts, _ := dotted(n)
		names := make([]string, len(parts))
		for i, p := range parts {
			names[i] = p.name
		}
		return strings.Join(names, ".")
	}
	o, _ := c.node(n) // a literal
	return o.canonical()
}

func isNumber(n ast.Node) bool {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return true
	}
	return false
}

func (c *exprCompiler) texts(nodes []ast.Node) string {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = c.text(n)
	}
	return strings.Join(list, ", ")
}

// plainOperator has one name for operators that have two.
func plainOperator(op string) string {
	switch op {
	case "&&":
		return "and"
	case "||":
		return "or"
	case "!":
		return "not"
	}
	return op
}
