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
	// <topic>.snapshots by default. From version 2 on it ends in .v<version>.
	Topic, To string
	// State is the record type of the state.
	State string
	// Kind names a fold that is written in Go; empty where there are rules.
	Kind string
	// OnError says what a record does that cannot be applied: "stop".
	OnError string

	at, topicAt, toAt, stateAt, kindAt place

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

// KindProblem returns a problem with the kind of the fold, where that is named.
func (f *Fold) KindProblem(message string) streams.Problem {
	return streams.Problem{Line: f.kindAt.line, Column: f.kindAt.column, Message: message}
}

// Ends says whether a stream may end: the fold has gone, or is of a kind, of which
// nobody knows.
func (f *Fold) Ends() bool { return f.gone != nil || f.ofKind }

// written returns the fields of the state that rules write, and where that is
// first.
func (f *Fold) written() map[string]place {
	first := map[string]place{}
	for _, ev := range f.events {
		for _, r := range ev.rules {
			for _, op := range r.fields {
				if _, ok := first[op.field]; !ok {
					first[op.field] = op.at
				}
			}
		}
	}
	return first
}
