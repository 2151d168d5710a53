package rules

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/millrace/millrace/streams"
)

// scope is what the expressions of one event type can name.
type scope struct {
	names *names
	event string // the event type, or that of a state which is read as data
	data  streams.Type
	state *state // nil outside of folds
	// written are the fields of a state that is read as data; nil: any of them.
	written map[string]place
	paths   []string
	kinds   []pathType // of each path
	needs   uint16
	cells   int
	// tables are those of the machine or of Go that the rules read, such as the
	// zones of the calendar, with their hash.
	tables map[string]string
}

// pathType is what the digest says about a path.
type pathType struct {
	typ      streams.Type
	defaults []string // of each field on the way
	readings []string // the same
}

// cell reserves one of env.chosen.
func (s *scope) cell() int {
	s.cells++
	return s.cells - 1
}

// path returns the slot of a path. Those of a state come first.
func (s *scope) path(name string, t pathType) int {
	k := slices.Index(s.paths, name)
	if k < 0 {
		k = len(s.paths)
		s.paths, s.kinds = append(s.paths, name), append(s.kinds, t)
	}
	return s.state.size() + k
}

// table notes that the rules read a table that is not ours.
func (s *scope) table(name string, hash func() string) {
	if s.tables == nil {
		s.tables = map[string]string{}
	}
	if s.tables[name] == "" {
		s.tables[name] = hash()
	}
}

// part is one name of a dotted one.
type part struct {
	name string
	node ast.Node
}

// dotted splits data.a.b into its parts; false where it is something else.
func dotted(n ast.Node) ([]part, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return []part{{n.Value, n}}, true
	case *ast.MemberNode:
		property, ok := n.Property.(*ast.StringNode)
		if !ok || n.Optional {
			return nil, false
		}
		list, ok := dotted(n.Node)
		return append(list, part{property.Value, property}), ok
	}
	return nil, false
}

var streamParts = []string{"category", "key"}

// name compiles a name.
func (c *exprCompiler) name(n ast.Node) (operand, bool) {
	parts, ok := dotted(n)
	if !ok {
		return c.problem(n, "only names can follow a point, and only a point can follow a name: data.address.city")
	}
	root := parts[0]
	if !slices.Contains(c.scope.names.roots, root.name) {
		return c.problem(root.node, "%s", c.noName(root.name))
	}
	switch {
	case root.name == c.scope.names.data:
		return c.field(n, parts[1:])
	case root.name == "state":
		return c.stateField(n, parts[1:])
	case root.name == "stream" && len(parts) > 1:
		return c.streamPart(parts[1:])
	}
	return c.meta(parts)
}

func (c *exprCompiler) streamPart(parts []part) (operand, bool) {
	if len(parts) > 1 {
		return c.problem(parts[1].node, "stream.%s is a text and has no %s", parts[0].name, parts[1].name)
	}
	c.scope.needs |= 1 << MetaStream
	o := operand{kind: streams.KindString, at: c.place(parts[0].node)}
	switch parts[0].name {
	case "category":
		o.texts = func(e *env) string { return streams.StreamID(e.metas[MetaStream].Str).Category() }
	case "key":
		o.texts = func(e *env) string { return streams.StreamID(e.metas[MetaStream].Str).Key() }
	default:
		return c.problem(parts[0].node, "stream has no %q%s", parts[0].name,
			meant(parts[0].name, streamParts, "; it has category and key"))
	}
	return o, true
}

// meta compiles the name of a value that does not stand in the data.
func (c *exprCompiler) meta(parts []part) (operand, bool) {
	root := parts[0]
	m := metaOf(root.name)
	if len(parts) > 1 {
		return c.problem(parts[1].node, "%s has no parts", root.name)
	}
	c.scope.needs |= 1 << m
	o := operand{kind: m.kind(), at: c.place(root.node)}
	switch o.kind {
	case streams.KindInt:
		o.ints = func(e *env) int64 { return e.metas[m].Bits }
	case streams.KindTime:
		o.times = func(e *env) streams.Time { return e.metas[m].Time() }
	default:
		o.texts = func(e *env) string { return e.metas[m].Str }
	}
	return o, true
}

var metaNames = [MetaCount]string{
	MetaStream: "stream", MetaType: "type", MetaVersion: "version", MetaTime: "time", MetaID: "id",
	MetaCorrelation: "correlation", MetaCausation: "causation", MetaTopic: "topic",
	MetaPartition: "partition", MetaOffset: "offset",
}

// String returns the name that expressions use.
func (m Meta) String() string {
	if m < MetaCount {
		return metaNames[m]
	}
	return "invalid"
}

func metaOf(name string) Meta { return Meta(slices.Index(metaNames[:], name)) }

func (m Meta) kind() streams.Kind {
	switch m {
	case MetaVersion, MetaPartition, MetaOffset:
		return streams.KindInt
	case MetaTime:
		return streams.KindTime
	}
	return streams.KindString
}
