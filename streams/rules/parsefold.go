package rules

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

var (
	foldKeys = []string{"name", "version", "topic", "to", "state", "kind", "on_error", "gone", "on"}
	foldSoon = []string{"tests"}
)

// ParseFold reads one entry of compactor.snapshots, as [Parse] does one of
// projector.views.
func ParseFold(node *yaml.Node) (*Fold, []streams.Problem) {
	p := &parser{what: "fold", form: foldRules}
	entries, ok := p.mapping(node, "name, topic, state, on_error and on")
	if !ok {
		return nil, p.all
	}
	f := &Fold{Version: 1}
	for _, e := range entries {
		p.foldEntry(f, e)
	}
	if p.tooLarge {
		return nil, p.all[:1]
	}
	hints := []hint{
		{"name", "give the fold a name of lower-case letters, digits and dashes"},
		{"topic", "name the topic whose streams are folded: topic: fines"},
		{"state", "name the record type of the state, which has a schema as events have: state: FineState"},
		{"on_error", "write on_error: stop, the only value so far: a record that cannot be applied stops its partition"},
	}
	if has(entries, "kind") {
		p.noRules(entries)
	} else {
		hints = append(hints, hint{"on", "say which rules apply to which event type"})
	}
	p.required(entries, hints)
	p.checkTopics(f)
	f.at, f.broken = p.at, len(p.all) > 0
	return f, p.sorted()
}

func (p *parser) foldEntry(f *Fold, e entry) {
	switch e.name() {
	case "name":
		f.Name = p.name(e.value)
	case "version":
		f.Version = p.version(e.value)
	case "topic":
		f.Topic, f.topicAt = p.topic(e.value, "topic"), placeOf(e.value)
	case "to":
		f.To, f.toAt = p.topic(e.value, "to"), placeOf(e.value)
	case "state":
		f.State, f.stateAt = p.state(e.value), placeOf(e.value)
	case "kind":
		f.Kind, f.ofKind, f.kindAt = p.kind(e.value), true, placeOf(e.value)
	case "on_error":
		f.OnError = p.onError(e.value)
	case "gone":
		if p.scalar(e.value, "gone") {
			f.gone = e.value
		}
	case "on":
		f.events = p.on(e.value)
	default:
		p.unknown(e.key, "a fold", foldKeys, foldSoon)
	}
}

func (p *parser) state(n *yaml.Node) string {
	name, ok := p.text(n, "state")
	if ok && name == "" {
		p.add(placeOf(n), "state is empty; name its record type, which has a schema as events have: FineState")
	}
	return name
}

func (p *parser) kind(n *yaml.Node) string {
	name, ok := p.text(n, "kind")
	if ok && !plainName(name) {
		p.add(placeOf(n), "kind %q must consist of lower-case letters, digits and dashes: the name that a Go program registers its fold by", name)
		return ""
	}
	return name
}

// noRules refuses rules beside a kind.
func (p *parser) noRules(entries []entry) {
	for _, e := range entries {
		if e.name() == "on" || e.name() == "gone" {
			p.add(placeOf(e.key), "a fold of a kind has its rules in Go; leave out %s, or kind", e.name())
		}
	}
}

// checkTopics gives the snapshots their topic: each version has its own, so that
// to raise it is to begin anew.
func (p *parser) checkTopics(f *Fold) {
	given, at := f.toAt != (place{}), f.topicAt
	if given {
		at = f.toAt
	} else if f.Topic != "" {
		f.To = f.Topic + ".snapshots"
	}
	if f.Topic == "" || f.To == "" {
		return
	}
	if f.To == f.Topic {
		p.add(at, "the snapshots of %s cannot stand in the same topic; write to: %s.snapshots, or leave it out", f.Topic, f.Topic)
		return
	}
	if suffix := fmt.Sprintf(".v%d", f.Version); f.Version > 1 && !strings.HasSuffix(f.To, suffix) {
		f.To += suffix
	}
	if !topicName(f.To) {
		p.add(at, "the name is too long for %s; name a shorter one for the snapshots: to: …", f.To)
	}
}
