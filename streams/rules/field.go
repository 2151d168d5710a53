package rules

import (
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/millrace/millrace/streams"
)

// field compiles data.….
func (c *exprCompiler) field(n ast.Node, parts []part) (operand, bool) {
	if len(parts) == 0 {
		return c.problem(n, "data is all of %s; name a field of it: %s", c.scope.event, fieldNames(&c.scope.data))
	}
	t, known := c.scope.data, pathType{}
	var path []string
	for _, p := range parts {
		if t.Kind != streams.KindRecord {
			return c.problem(p.node, "%s is %s and has no field %s", dataName(path), t, p.name)
		}
		f := t.Field(p.name)
		if f == nil {
			return c.problem(p.node, "%s has no field %q%s", c.scope.dataName(path), p.name, c.unknownField(&t, p.name))
		}
		nullable := t.Nullable && len(path) > 0 || f.Type.Nullable
		t = f.Type
		t.Nullable = nullable
		path = append(path, p.name)
		known.defaults, known.readings = append(known.defaults, f.Default), append(known.readings, f.Reading)
	}
	if !t.Kind.Scalar() {
		return c.problem(parts[len(parts)-1].node, "%s is %s; %s", dataName(path), t, useOf(&t, dataName(path)))
	}
	known.typ = t
	at := c.begin(n)
	o := slotOperand(c.scope.path(strings.Join(path, "."), known), t, at)
	o.name = dataName(path)
	return o, true
}

// dataName names a record of the event for messages.
func (s *scope) dataName(path []string) string {
	if len(path) == 0 {
		return s.event
	}
	return dataName(path) + " of " + s.event
}

func dataName(path []string) string { return strings.Join(append([]string{"data"}, path...), ".") }

// useOf says what can be done with what is not scalar.
func useOf(t *streams.Type, name string) string {
	if t.Kind == streams.KindRecord {
		return "name a field of it: " + name + "." + fieldNames(t)
	}
	return "expressions read only single values"
}

func (c *exprCompiler) unknownField(t *streams.Type, name string) string {
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
