package worker

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/millrace/millrace/streams"
)

// validator is what a configuration struct implements to be checked, with its
// defaults, after it was decoded.
type validator interface{ Validate() error }

// validate sets the defaults in v and adds what its Validate method says. A
// struct that has no such method is asked for its fields, a mapping for its
// values, a list for its items; one that has it answers for all that it holds.
func (f *File) validate(path string, v reflect.Value) {
	setDefaults(v)
	if _, ok := v.Interface().(validator); !ok && v.CanAddr() {
		v = v.Addr()
	}
	if c, ok := v.Interface().(validator); ok && !isNil(v) {
		f.addErrors(path, c.Validate())
		return
	}
	v = reflect.Indirect(v)
	switch {
	case !v.IsValid() || v.Type() == nodeType:
	case v.Kind() == reflect.Pointer:
		f.validate(path, v.Elem())
	case v.Kind() == reflect.Struct:
		fields := fieldsOf(v.Type())
		for _, name := range fields.names {
			f.validate(path+"."+name, v.FieldByIndex(fields.byName[name].index))
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			f.validate(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case v.Kind() == reflect.Map:
		f.validateMap(path, v)
	}
}

func (f *File) validateMap(path string, v reflect.Value) {
	for _, key := range v.MapKeys() {
		item := reflect.New(v.Type().Elem()).Elem()
		item.Set(v.MapIndex(key))
		f.validate(path+"."+key.String(), item)
		v.SetMapIndex(key, item)
	}
}

func isNil(v reflect.Value) bool { return v.Kind() == reflect.Pointer && v.IsNil() }

// setDefaults replaces v by what its WithDefaults method returns.
func setDefaults(v reflect.Value) {
	m := v.MethodByName("WithDefaults")
	if isNil(v) || !m.IsValid() || m.Type().NumIn() != 0 || m.Type().NumOut() != 1 || m.Type().Out(0) != v.Type() || !v.CanSet() {
		return
	}
	v.Set(m.Call(nil)[0])
}

// addErrors adds each of the errors that were joined.
func (f *File) addErrors(path string, err error) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			f.addErrors(path, e)
		}
		return
	}
	var fe *streams.FieldError
	if errors.As(err, &fe) {
		path += "." + fe.Path
	}
	at := f.locate(path)
	block, _, _ := strings.Cut(path, ".")
	switch {
	case f.doubtful(at):
	case at.in == nil:
		f.Problemf(path, "%s is missing: %s", block, err)
	case at.rest == "" && f.tainted[at.node]:
		f.Problemf(path, "%s is wrong; its value came from a file and is not shown", path)
	default:
		f.Problemf(path, "%s", err)
	}
}
