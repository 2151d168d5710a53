package rules

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// View is one entry of projector.views as it was written. [Parse] makes it.
type View struct {
	// Name is what the view is called: lower-case letters, digits and dashes.
	Name string
	// Version is the number of the definition, from 1, the default.
	Version int
	// Topics are those that the view reads, in the order of the file, at least one.
	Topics []string
	// From is where the view begins: empty for the first event, [FromSnapshots]
	// for the snapshots of its one topic.
	From string
	// OnError says what a record does that cannot be applied: "stop".
	OnError string

	at       place      // of the name, or of the view where it has none
	key      *yaml.Node // nil where every rule has its own
	snapshot *rule      // nil where the view does not begin with snapshots
	events   []eventRules
	broken   bool // something was left out since it was wrong

	fromAt, snapshotAt place
}

// Problem returns a problem with the view as a whole, such as a name that another
// view has. It stands at the view's name.
func (v *View) Problem(message string) streams.Problem {
	return streams.Problem{Line: v.at.line, Column: v.at.column, Message: message}
}

// FromProblem returns a problem with what the view begins with, where that is named.
func (v *View) FromProblem(message string) streams.Problem {
	return streams.Problem{Line: v.fromAt.line, Column: v.fromAt.column, Message: message}
}

// eventRules are the rules of one event type.
type eventRules struct {
	eventType string
	at        place
	rules     []rule
}

// rule is one rule as it was written.
type rule struct {
	at      place
	when    *yaml.Node // nil: always
	key     *yaml.Node // nil: the view's
	remove  bool       // delete the row
	removes place
	fields  []fieldOp
}

// fieldOp is one op on one field.
type fieldOp struct {
	op    Op
	field string
	at    place      // of the field's name
	value *yaml.Node // nil for an unset
}

// Fields returns the names of the fields that the rules write, in the order of
// the file, for those who show rows; those that only snapshots have come last.
func (v *View) Fields() []string {
	var rules []rule
	for _, e := range v.events {
		rules = append(rules, e.rules...)
	}
	if v.snapshot != nil {
		rules = append(rules, *v.snapshot)
	}
	var names []string
	for _, r := range rules {
		for _, f := range r.fields {
			if !slices.Contains(names, f.field) {
				names = append(names, f.field)
			}
		}
	}
	return names
}
