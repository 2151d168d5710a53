package rules

import (
	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// Fold is one entry of compactor.snapshots as it was written: which state the
// events of a stream add up to. [ParseFold] makes it.
type Fold struct {
	// Name is what the fold is called: lower-case letters, digits and dashes.
	Name string
	// Version is the number of the definition, from 1, the default.
	Version int
	// Topic is the one whose streams are folded; To is that of the snapshots:
	// <topic>.snapshots by default, from version 2 on <topic>.snapshots.v<version>.
	Topic, To string
	// State is the record type of the state.
	State string
	// Kind names a fold that is written in Go; empty where there are rules.
	Kind string
	// OnError says what a record does that cannot be applied: "stop".
	OnError string

	at, topicAt, toAt, stateAt place

	ofKind bool       // also where the kind is wrong
	gone   *yaml.Node // nil: no stream ends
	events []eventRules
	broken bool // something was left out since it was wrong
}

// Problem returns a problem with the fold as a whole, such as a name that another
// fold has. It stands at the fold's name.
func (f *Fold) Problem(message string) streams.Problem {
	return streams.Problem{Line: f.at.line, Column: f.at.column, Message: message}
}

// Ends says whether a stream may end: the fold has gone, or is of a kind, of which
// nobody knows.
func (f *Fold) Ends() bool { return f.gone != nil || f.ofKind }

// writes says whether a rule of the fold writes the field of the state.
func (f *Fold) writes(field string) bool {
	for _, ev := range f.events {
		for _, r := range ev.rules {
			if r.writes(field) {
				return true
			}
		}
	}
	return false
}

func (r *rule) writes(field string) bool {
	for _, f := range r.fields {
		if f.field == field {
			return true
		}
	}
	return false
}
