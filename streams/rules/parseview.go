package rules

import (
	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

var (
	viewKeys = []string{"name", "version", "topics", "from", "key", "on_error", "rows", "snapshot", "on"}
	viewSoon = []string{"tests", "kind", "shards", "cutover"}
)

// FromSnapshots is the value of [View.From] for a view that begins with snapshots.
const FromSnapshots = "snapshots"

// Parse reads one entry of projector.views. It returns everything that is wrong
// with its form; what expressions mean is checked by [View.Compile]. A view with
// problems may still be compiled, to find the other problems too; it is nil
// where there is nothing to compile.
func Parse(node *yaml.Node) (*View, []streams.Problem) {
	p := &parser{what: "view", form: viewRules}
	entries, ok := p.mapping(node, "name, topics, key, on_error and on")
	if !ok {
		return nil, p.all
	}
	v := &View{Version: 1}
	for _, e := range entries {
		p.viewEntry(v, e)
	}
	if p.tooLarge {
		return nil, p.all[:1]
	}
	p.required(entries, []hint{
		{"name", "give the view a name of lower-case letters, digits and dashes"},
		{"topics", "name the topics that the view reads: topics: [fines]"},
		{"on_error", "write on_error: stop, the only value so far: a record that cannot be applied stops its partition"},
		{"on", "say which rules apply to which event type"},
	})
	p.checkFrom(v, entries)
	v.at, v.broken = p.at, len(p.all) > 0
	return v, p.sorted()
}

func (p *parser) viewEntry(v *View, e entry) {
	switch e.name() {
	case "name":
		v.Name = p.name(e.value)
	case "version":
		v.Version = p.version(e.value)
	case "topics":
		v.Topics = p.topics(e.value)
	case "from":
		v.From, v.fromAt = p.from(e.value), placeOf(e.value)
	case "key":
		if p.scalar(e.value, "key") {
			v.key = e.value
		}
	case "on_error":
		v.OnError = p.onError(e.value)
	case "rows":
		p.rows(e.value)
	case "snapshot":
		v.snapshot, v.snapshotAt = p.snapshot(e.value), placeOf(e.key)
	case "on":
		v.events = p.on(e.value)
	default:
		p.unknown(e.key, "a view", viewKeys, viewSoon)
	}
}

func (p *parser) topics(n *yaml.Node) []string {
	list := p.list(n, "topics")
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		p.add(placeOf(n), "topics is empty; name at least one")
	}
	var topics []string
	seen := map[string]bool{}
	for _, t := range list {
		switch name := p.topic(t, "a topic"); {
		case name == "":
		case seen[name]:
			p.add(placeOf(t), "topic %s is here twice", name)
		default:
			seen[name] = true
			topics = append(topics, name)
		}
	}
	return topics
}

func (p *parser) from(n *yaml.Node) string {
	if n.Value != FromSnapshots {
		p.add(placeOf(n), "from must be snapshots, not %s; leave it out to read the events from the first one", kindOf(n))
		return ""
	}
	return n.Value
}

// snapshot reads the one rule that turns a state into a row.
func (p *parser) snapshot(n *yaml.Node) *rule {
	if n.Kind == yaml.SequenceNode {
		p.add(placeOf(n), "snapshot is one rule, not a list: it makes the one row of the stream")
		return nil
	}
	p.form = snapshotRule
	defer func() { p.form = viewRules }()
	for _, r := range p.rule(nil, n) {
		return &r
	}
	return nil
}

// checkFrom checks that from: snapshots and snapshot stand there together.
func (p *parser) checkFrom(v *View, entries []entry) {
	switch from, snapshot := has(entries, "from"), has(entries, "snapshot"); {
	case snapshot && !from:
		p.add(v.snapshotAt, "snapshot says how a snapshot becomes a row, but the view reads none; add from: snapshots")
	case !snapshot && v.From != "":
		p.add(v.fromAt, "from: snapshots needs snapshot: a rule with set that says how the state of a stream becomes a row")
	}
}

func (p *parser) rows(n *yaml.Node) {
	switch n.Value {
	case "hash":
	case "set", "sorted":
		p.add(placeOf(n), "rows: %s is not supported yet; write hash, or leave it out", n.Value)
	default:
		p.add(placeOf(n), "rows must be hash, not %s", kindOf(n))
	}
}
