package rules

import (
	"fmt"
	"slices"
	"strings"
)

// names is what the expressions of one place may name.
type names struct {
	roots []string
	data  string // the one that names the slots of the paths
	// elsewhere says why what other expressions may name is not here.
	elsewhere map[string]string
}

var (
	eventRoots = []string{"stream", "type", "version", "time", "id", "correlation", "causation", "topic", "partition", "offset", "data"}

	// eventNames are those of the rules of a view.
	eventNames = &names{eventRoots, "data", map[string]string{
		"row":   "reading row is not supported yet",
		"state": "state is for sagas and snapshots; a view has data and the names of the event",
	}}
	// foldNames are those of the rules of a fold.
	foldNames = &names{slices.Concat(eventRoots, []string{"state"}), "data", map[string]string{
		"row": "a fold has no rows; it has state",
	}}
	// goneNames are those of gone.
	goneNames = &names{[]string{"state"}, "", onlyHere("gone is about the state, whichever event led to it, and has only state")}
	// snapshotNames are those of snapshot, but for its key.
	snapshotNames = &names{[]string{"stream", "version", "state"}, "state",
		onlyHere("a snapshot is not an event; it has only stream, version and state")}
	// snapshotKeyNames are those of the row key of snapshot.
	snapshotKeyNames = &names{[]string{"stream"}, "",
		onlyHere("the row key of snapshot has only stream and its parts: where a stream has ended, the row is found without a state")}
)

// onlyHere says the same of all names that expressions may have.
func onlyHere(why string) map[string]string {
	all := map[string]string{"row": why, "state": why}
	for _, root := range eventRoots {
		all[root] = why
	}
	return all
}

// noName says why there is no such name, and which one may be meant.
func (c *exprCompiler) noName(name string) string {
	s := c.scope
	if why := s.names.elsewhere[name]; why != "" {
		return why
	}
	hint := meant(name, s.names.roots, "; names are "+strings.Join(s.names.roots, ", "))
	switch {
	case s.names.data != "" && s.data.Field(name) != nil:
		hint = "; did you mean " + s.names.data + "." + name + "?"
	case s.state != nil && s.state.typ.Field(name) != nil:
		hint = "; did you mean state." + name + "?"
	case name == "null":
		hint = "; in an expression null is written nil"
	}
	return fmt.Sprintf("there is no %q%s", name, hint)
}
