package rules

import (
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/millrace/millrace/streams"
)

// field compiles data.…, or state.… where that is what is read.
func (c *exprCompiler) field(n ast.Node, parts []part) (operand, bool) {
	if len(parts) == 0 {
		return c.problem(n, "%s is all of %s; name a field of it: %s", c.scope.names.data, c.scope.event, fieldNames(&c.scope.data))
	}
	t, known := c.scope.data, pathType{}
	var path []string
	for _, p := range parts {
		if t.Kind != streams.KindRecord {
			return c.problem(p.node, "%s is %s and has no field %s", c.scope.pathName(path), t, p.name)
		}
		f := t.Field(p.name)
		if f == nil {
			return c.problem(p.node, "%s has no field %q%s", c.scope.dataName(path), p.name, unknownField(&t, p.name))
		}
		if _, ok := c.scope.written[p.name]; !ok && c.scope.written != nil && len(path) == 0 {
			return c.unwritten(p)
		}
		nullable := t.Nullable && len(path) > 0 || f.Type.Nullable
		t = f.Type
		t.Nullable = nullable
		path = append(path, p.name)
		known.defaults, known.readings = append(known.defaults, f.Default), append(known.readings, f.Reading)
	}
	if !t.Kind.Scalar() {
		name := c.scope.pathName(path)
		return c.problem(parts[len(parts)-1].node, "%s is %s; %s", name, t, useOf(&t, name))
	}
	known.typ = t
	o := slotOperand(c.scope.path(strings.Join(path, "."), known), t, c.begin(n))
	o.name = c.scope.pathName(path)
	return o, true
}

// dataName names a record of the event for messages.
func (s *scope) dataName(path []string) string {
	if len(path) == 0 {
		return s.event
	}
	return s.pathName(path) + " of " + s.event
}

// pathName is how expressions name a path.
func (s *scope) pathName(path []string) string {
	return strings.Join(append([]string{s.names.data}, path...), ".")
}

// useOf says what can be done with what is not scalar.
func useOf(t *streams.Type, name string) string {
	if t.Kind == streams.KindRecord {
		return "name a field of it: " + name + "." + fieldNames(t)
	}
	return "expressions read only single values"
}

func unknownField(t *streams.Type, name string) string {
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name
	}
	return meant(name, names, "; it has "+fieldNames(t))
}

// fieldNames lists the fields of a record, the first dozen.
func fieldNames(t *streams.Type) string {
	const most = 12
	var names []string
	for _, f := range t.Fields {
		if names = append(names, f.Name); len(names) == most && len(t.Fields) > most {
			return strings.Join(names, ", ") + ", …"
		}
	}
	if names == nil {
		return "no fields"
	}
	return strings.Join(names, ", ")
}

// slotOperand reads a slot of the data.
func slotOperand(k int, t streams.Type, at place) operand {
	o := operand{kind: t.Kind, at: at}
	if t.Nullable {
		o.null = func(e *env) bool { return e.data[k].Null }
	}
	switch t.Kind {
	case streams.KindInt:
		o.ints = func(e *env) int64 { return e.data[k].Bits }
	case streams.KindFloat:
		o.floats = func(e *env) float64 { return e.finite(at, e.data[k].Float()) }
	case streams.KindBool:
		o.bools = func(e *env) bool { return e.data[k].Bits != 0 }
	case streams.KindTime:
		o.times = func(e *env) streams.Time { return e.data[k].Time() }
	case streams.KindDecimal:
		o.decimals = slotDecimal(k, t, at)
	default:
		o.texts = func(e *env) string { return e.data[k].Str }
	}
	return o
}

func slotDecimal(k int, t streams.Type, at place) fn[streams.Decimal] {
	scale := t.Scale
	if t.Precision > streams.MaxDigits || t.Precision < 1 {
		return func(e *env) streams.Decimal { return e.ranged(at, e.data[k].Decimal(scale)) }
	}
	return func(e *env) streams.Decimal { return e.data[k].Decimal(scale) }
}
