package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/millrace/millrace/streams"
)

// state is the state of a fold as its rules see it.
type state struct {
	name   string       // of its record type
	typ    streams.Type // not a record where it has problems
	fields []stateField // those that rules write, sorted by name
	unsure []string     // those of them that have problems
}

// stateField is a field of a state.
type stateField struct {
	name string
	pathType
	absent streams.Slot // what it is before it is written: null, or its default
}

// size is how many slots the state has.
func (s *state) size() int {
	if s == nil {
		return 0
	}
	return len(s.fields)
}

func (s *state) index(name string) int {
	return slices.IndexFunc(s.fields, func(f stateField) bool { return f.name == name })
}

// stateField compiles state.… of a fold.
func (c *exprCompiler) stateField(n ast.Node, parts []part) (operand, bool) {
	s := c.scope.state
	if len(parts) == 0 {
		return c.problem(n, "state is all of %s; name a field of it: %s", s.name, fieldNames(&s.typ))
	}
	name := parts[0].name
	k := s.index(name)
	switch {
	case k >= 0 && len(parts) > 1:
		return c.problem(parts[1].node, "state.%s is %s and has no field %s", name, s.fields[k].typ, parts[1].name)
	case k >= 0:
		o := slotOperand(k, s.fields[k].typ, c.begin(n))
		o.name = "state." + name
		return o, true
	case s.typ.Kind != streams.KindRecord || slices.Contains(s.unsure, name):
		return operand{}, false // it has problems of its own
	case s.typ.Field(name) == nil:
		return c.problem(parts[0].node, "%s has no field %q%s", s.name, name, unknownField(&s.typ, name))
	}
	return c.unwritten(parts[0])
}

// unwritten reports a field of the state that is read in vain.
func (c *exprCompiler) unwritten(p part) (operand, bool) {
	return c.problem(p.node, "no rule of the fold writes state.%s, so it always has one and the same value", p.name)
}

// define adds a field that rules write.
func (s *state) define(name string) error {
	f := s.typ.Field(name)
	switch {
	case f == nil:
		return fmt.Errorf("%s has no field %q%s", s.name, name, unknownField(&s.typ, name))
	case !f.Type.Kind.Scalar():
		return fmt.Errorf("field %s of %s is %s; rules write only single values", name, s.name, f.Type)
	}
	absent, err := absentOf(f)
	if err != nil {
		return fmt.Errorf("field %s of %s %w", name, s.name, err)
	}
	s.fields = append(s.fields, stateField{name, pathType{f.Type, []string{f.Default}, []string{f.Reading}}, absent})
	return nil
}

// absentOf returns what a field is before it is written.
func absentOf(f *streams.Field) (s streams.Slot, err error) {
	switch {
	case f.Type.Nullable:
		return streams.Slot{Null: true}, nil
	case f.Default == "":
		return s, errors.New("must be nullable or have a default: a stream may begin with any event")
	case f.Type.Kind == streams.KindTime:
		return s, errors.New("must be nullable: the default of a time is a number, which does not say of what")
	}
	if !setDefault(&s, &f.Type, []byte(f.Default)) {
		err = fmt.Errorf("has the default %s, which is no %s", f.Default, f.Type)
	}
	return s, err
}

// setDefault reads a default, which is JSON as [streams.Field] has it.
func setDefault(s *streams.Slot, t *streams.Type, text []byte) bool {
	switch t.Kind {
	case streams.KindInt:
		return json.Unmarshal(text, &s.Bits) == nil
	case streams.KindFloat:
		var f float64
		err := json.Unmarshal(text, &f)
		s.SetFloat(f)
		return err == nil
	case streams.KindBool:
		var b bool
		err := json.Unmarshal(text, &b)
		s.SetBool(b)
		return err == nil
	case streams.KindString:
		return json.Unmarshal(text, &s.Str) == nil
	}
	var chars string
	if json.Unmarshal(text, &chars) != nil {
		return false
	}
	bytes := bytesOf(chars)
	if t.Kind == streams.KindDecimal {
		return s.SetDecimal(streams.DecimalFromBytes(bytes, t.Scale), t.Precision, t.Scale)
	}
	s.SetString(string(bytes))
	return true
}

// bytesOf returns bytes that stand in JSON as one character each.
func bytesOf(chars string) []byte {
	var b []byte
	for _, r := range chars {
		b = append(b, byte(r))
	}
	return b
}
