package streams

import (
	"fmt"
	"strings"
)

// Kind is the kind of a [Type].
type Kind uint8

// The kinds. Those from KindRecord on do not fit a [Slot].
const (
	KindInvalid Kind = iota
	KindString       // text; also enums and UUIDs
	KindBool
	KindInt     // 64 bit, signed
	KindFloat   // IEEE 754, 64 bit
	KindDecimal // exact, at most 38 digits: see Decimal
	KindTime    // an instant with the offset that it was written with: see Time
	KindBytes
	KindRecord // named fields
	KindList
	KindMap
	KindUnion // of several types, or what else no rule can use
)

var kindNames = [...]string{
	"invalid", "string", "bool", "int", "float", "decimal", "time", "bytes", "record", "list", "map", "union",
}

// String returns the name of the kind as users read it: "decimal", "time".
func (k Kind) String() string { return kindNames[k] }

// Scalar says whether a value of the kind fits a [Slot].
func (k Kind) Scalar() bool { return k >= KindString && k <= KindBytes }

// Type is a schema type that knows nothing of the format that it comes from.
type Type struct {
	Kind     Kind
	Nullable bool
	// Precision and Scale are those of a decimal.
	Precision, Scale int
	// Fields are those of a record, in the order of the schema.
	Fields []Field
	// Elem is the type of the elements of a list or the values of a map.
	Elem *Type
}

// Field is one field of a record.
type Field struct {
	Name string
	Type Type
	// Default is what a reader takes where the writer has no such field: JSON
	// text in canonical form, empty where there is none.
	Default string
	// Reading is what else of the schema decides which value a reader finds, as
	// text: names that the field had, the unit of an instant. Empty where
	// nothing does.
	Reading string
}

// Field returns the field of that name, nil where there is none.
func (t *Type) Field(name string) *Field {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return &t.Fields[i]
		}
	}
	return nil
}

// String returns the type as users read it: "decimal(12, 2)?", where a question
// mark says that it can be null.
func (t Type) String() string {
	var s string
	switch t.Kind {
	case KindDecimal:
		s = fmt.Sprintf("decimal(%d, %d)", t.Precision, t.Scale)
	case KindList, KindMap:
		s = fmt.Sprintf("%s of %s", t.Kind, t.Elem)
	case KindRecord:
		names := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			names[i] = f.Name
		}
		s = "record {" + strings.Join(names, ", ") + "}"
	default:
		s = t.Kind.String()
	}
	if t.Nullable {
		s += "?"
	}
	return s
}
