package rules

import (
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// FunctionDoc describes a function of expressions.
type FunctionDoc struct {
	Name      string
	Signature string // div(a, b, places)
	Result    string // the type of the result
	Meaning   string
}

// function is one line of the table that drives the check, the messages and the
// documentation.
type function struct {
	FunctionDoc
	min, max int // how many arguments it takes; max 0: any number
	compile  func(c *exprCompiler, call call) (operand, bool)
}

// call is a function with its compiled arguments, none of which can be null.
type call struct {
	name string
	at   place
	args []operand
}

// maxArguments bounds those that take any number.
const maxArguments = 100

// Functions returns all functions in the order of their documentation.
func Functions() []FunctionDoc {
	var docs []FunctionDoc
	for _, f := range functions() {
		docs = append(docs, f.FunctionDoc)
	}
	return docs
}

func functions() []function {
	return []function{
		{FunctionDoc{"string", "string(x)", "string", "the text of a string, bool, int, float, decimal or time, as it would stand in a row"}, 1, 1, toString},
		{FunctionDoc{"int", "int(x)", "int", "a number without its fraction, or the number that a text of digits names; an error where it does not fit 64 bits"}, 1, 1, toInt},
		{FunctionDoc{"float", "float(x)", "float", "the float that is nearest to a number"}, 1, 1, toFloat},
		{FunctionDoc{"decimal", "decimal(x)", "decimal", "a number as a decimal, a float in its shortest form, or the number that a text such as -1.50 names"}, 1, 1, toDecimal},
		{FunctionDoc{"time", "time(x)", "time", "the time that an RFC 3339 text names, with its offset"}, 1, 1, toTime},
		{FunctionDoc{"len", "len(text)", "int", "how many characters a text has"}, 1, 1, length},
		{FunctionDoc{"lower", "lower(text)", "string", "the text in lower case"}, 1, 1, lower},
		{FunctionDoc{"upper", "upper(text)", "string", "the text in upper case"}, 1, 1, upper},
		{FunctionDoc{"trim", "trim(text)", "string", "the text without white space at both ends"}, 1, 1, trim},
		{FunctionDoc{"abs", "abs(x)", "that of x", "the number without its sign"}, 1, 1, absolute},
		{FunctionDoc{"min", "min(a, b, …)", "that of the arguments", "the least of numbers or times"}, 2, 0, least},
		{FunctionDoc{"max", "max(a, b, …)", "that of the arguments", "the greatest of numbers or times"}, 2, 0, greatest},
		{FunctionDoc{"round", "round(x, places)", "decimal", "a decimal with at most that many digits behind the point, 0 to 38; halves go to the even digit"}, 2, 2, round},
		{FunctionDoc{"div", "div(a, b, places)", "decimal", "the quotient of ints or decimals, rounded as round does"}, 3, 3, divide},
		{FunctionDoc{"year", "year(t, zone)", "int", "the year: 2000"}, 2, 2, year},
		{FunctionDoc{"month", "month(t, zone)", "string", "the month: 2000-01"}, 2, 2, calendar},
		{FunctionDoc{"day", "day(t, zone)", "string", "the day: 2000-01-31"}, 2, 2, calendar},
		{FunctionDoc{"hour", "hour(t, zone)", "string", "the hour: 2000-01-31T13"}, 2, 2, calendar},
	}
}

// call compiles the call of a function; n is its name.
func (c *exprCompiler) call(n ast.Node, name string, args []ast.Node) (operand, bool) {
	f, ok := c.function(n, name)
	if !ok {
		return operand{}, false
	}
	most := f.max
	if most == 0 {
		most = maxArguments
	}
	if len(args) < f.min || len(args) > most {
		return c.problem(n, "%s takes %s, not %s; it is written %s", name, countOf(f), arguments(len(args)), f.Signature)
	}
	compiled := call{name: name, at: c.place(n)}
	for _, a := range args {
		o, fine := c.node(a)
		if fine {
			fine = c.notNull(o, "an argument of "+name)
		}
		compiled.args, ok = append(compiled.args, o), ok && fine
	}
	if !ok {
		return operand{}, false
	}
	return f.compile(c, compiled)
}

func (c *exprCompiler) function(n ast.Node, name string) (function, bool) {
	var names []string
	for _, f := range c.fns {
		if f.Name == name {
			return f, true
		}
		names = append(names, f.Name)
	}
	c.problem(n, "there is no function %s%s", name, meant(name, names, "; functions are "+strings.Join(names, ", ")))
	return function{}, false
}

func countOf(f function) string {
	if f.max == 0 {
		return "at least " + arguments(f.min)
	}
	return arguments(f.min)
}

func arguments(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return strconv.Itoa(n) + " arguments"
}

// takes reports a call whose argument is of a kind that the function has no
// meaning for.
func (c *exprCompiler) takes(call call, what string) (operand, bool) {
	var types []string
	for _, a := range call.args {
		types = append(types, a.typ())
	}
	c.add(call.at, "%s takes %s, not %s", call.name, what, strings.Join(types, ", "))
	return operand{}, false
}
