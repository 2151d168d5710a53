package worker

import (
	"reflect"
	"strings"
)

// settings are the fields of a configuration struct by their YAML names.
type settings struct {
	names  []string // in the order of the struct
	byName map[string]setting
}

type setting struct {
	index    []int
	required bool
}

// fieldsOf reads the tags of a struct: yaml:"name" gives the name, "-" leaves
// the field out, required:"true" makes its absence a problem.
func fieldsOf(t reflect.Type) settings {
	s := settings{byName: map[string]setting{}}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || f.Anonymous || name == "-" {
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		s.names = append(s.names, name)
		s.byName[name] = setting{f.Index, f.Tag.Get("required") == "true"}
	}
	return s
}

// secretNames returns the names of the settings below a type that are secrets,
// or hold them in lists or mappings.
func secretNames(t reflect.Type) []string {
	return namesOfSecrets(t, map[reflect.Type]bool{})
}

func namesOfSecrets(t reflect.Type, seen map[reflect.Type]bool) []string {
	t = elementOf(t)
	if seen[t] || t.Kind() != reflect.Struct || t == nodeType {
		return nil
	}
	seen[t] = true
	var names []string
	fields := fieldsOf(t)
	for _, name := range fields.names {
		of := t.FieldByIndex(fields.byName[name].index).Type
		if elementOf(of) == secretType {
			names = append(names, name)
		}
		names = append(names, namesOfSecrets(of, seen)...)
	}
	return names
}

// elementOf strips pointers, lists and mappings.
func elementOf(t reflect.Type) reflect.Type {
	for t != secretType && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map) {
		t = t.Elem()
	}
	return t
}
