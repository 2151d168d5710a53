package compaction

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/rules"
)

// FoldVersion is the number of the engine's folds: it is raised when the same
// rules would give other states for the same events.
const FoldVersion = 1

// Layout is the number of the form of snapshot topics.
const Layout = 1

// Folder folds the events of the streams of one partition. It is used by one
// goroutine. It is pure: no clock, no input or output, nothing remembered of
// other events.
type Folder interface {
	// Fold returns the state of a stream after an event, as a value of the fold's
	// state type, and whether the stream has ended with it; before is empty where
	// the stream begins. An error is one of the event's record. The state is valid
	// until the next call. Events of types that the fold does not name never come
	// here.
	Fold(before []byte, e Event) (after []byte, gone bool, err error)
}

// Beginner is a [Folder] of a fold that names the types of its events: any other
// event may be the first one of a stream.
type Beginner interface {
	Folder
	// Begin returns the state of a stream that has none yet; Fold makes the same of
	// it as of an empty one. An error stops the partition at the event that the
	// stream begins with. The state is valid until the next call.
	Begin() ([]byte, error)
}

// Event is an event as a [Folder] gets it.
type Event struct {
	*streams.Event
	// Record is where it comes from; its Value holds the data.
	Record *streams.Record
}

// Fold is a fold that was compiled against the types of its events. It is
// immutable and safe for concurrent use.
type Fold struct {
	Name    string
	Version int
	// Topic is the event topic, and Snapshots the one that the states are kept in.
	Topic, Snapshots string
	// State is the type of the states, a schema of the folder.
	State string
	// Digest is the hash of Text: of all that can change a state.
	Digest string
	// Text is the definition in canonical form.
	Text string

	partitioner string
	folder      func() (Folder, error)
	events      map[string]bool // the types that it names; nil: all
}

// names says whether the fold knows events of a type. Those of others change
// nothing but the version of their stream.
func (f *Fold) names(eventType string) bool {
	return f.events == nil || f.events[eventType]
}

// Compile compiles a fold against the types of the codec. All problems are
// returned at once. kinds are the folds in Go that a kind may name.
func Compile(f *rules.Fold, codec streams.Codec, topics map[string]kafka.TopicConfig, kinds map[string]Kind) (*Fold, []streams.Problem) {
	program, problems := f.Compile(codec.Types)
	c := &Fold{
		Name: f.Name, Version: f.Version, Topic: f.Topic, Snapshots: f.To, State: f.State,
		partitioner: topics[f.Topic].WithDefaults().Partitioner,
	}
	if c.partitioner == kafka.PartitionerAny {
		problems = append(problems, f.Problem(fmt.Sprintf("topic %s has partitioner: any, so that a stream may lie in several partitions and has no state of its own", f.Topic)))
	}
	switch kind, known := kinds[f.Kind]; {
	case f.Kind != "" && !known:
		problems = append(problems, f.KindProblem(unknownKind(f.Kind, kinds)))
	case f.Kind != "" && kind.Digest == "":
		problems = append(problems, f.KindProblem(fmt.Sprintf("kind %s has no digest, which says when its states are others; begin with \"1\"", f.Kind)))
	}
	if len(problems) > 0 || f.State == "" { // of which parsing has said so
		return nil, problems
	}
	if f.Kind != "" {
		c.ofKind(f, codec, kinds[f.Kind])
	} else {
		c.ofRules(f, codec, program)
	}
	if f.Kind == "" && len(c.events) == 0 {
		return c, nil // of rules that are wrong, as parsing has said
	}
	if _, err := c.folder(); err != nil {
		return nil, []streams.Problem{f.Problem(err.Error())}
	}
	return c, nil
}

func (f *Fold) ofRules(of *rules.Fold, codec streams.Codec, program *rules.FoldProgram) {
	f.define(program.Canonical()+unwritten(of.State, codec, program.Fields), Layout, FoldVersion)
	f.events = map[string]bool{}
	for eventType := range program.Events {
		f.events[eventType] = true
	}
	f.folder = func() (Folder, error) { return newRuleFolder(program, of.State, codec) }
}

func (f *Fold) ofKind(of *rules.Fold, codec streams.Codec, kind Kind) {
	text := "kind " + of.Kind + " " + kind.Digest + "\n"
	if kind.Events != nil {
		f.events = map[string]bool{}
	}
	for _, eventType := range slices.Sorted(slices.Values(kind.Events)) {
		f.events[eventType] = true
		text += "on " + eventType + "\n"
	}
	f.define(text, Layout, FoldVersion)
	f.folder = func() (Folder, error) {
		folder, err := kind.New(codec, of.State)
		if _, begins := folder.(Beginner); err == nil && !begins && f.events != nil {
			err = fmt.Errorf("kind %s names its events, and its folder, a %T, has no Begin, which says what a stream is that begins with another one; add it, or name none and fold all", of.Kind, folder)
		}
		return folder, err
	}
}

// unwritten are, as text, the defaults of the fields of a state that no rule writes,
// and of those within them: each event writes them as the schema has them then, and
// streams that rest keep the former ones. A field that is null by default is left
// out: a state of a schema without it says the same.
func unwritten(state string, codec streams.Codec, written []string) string {
	var lines []string
	t, _ := codec.Types(state) // it was compiled
	for i := range t.Fields {
		if f := &t.Fields[i]; defaults(f) && !slices.Contains(written, f.Name) {
			lines = appendDefaults(lines, f.Name, f)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// defaults says whether a field is something else than null by itself.
func defaults(f *streams.Field) bool { return f.Default != "" && f.Default != "null" }

func appendDefaults(lines []string, path string, f *streams.Field) []string {
	if defaults(f) {
		lines = append(lines, fmt.Sprintf("unwritten %s default %s\n", path, strconv.QuoteToASCII(f.Default)))
	}
	t := &f.Type
	for t.Elem != nil {
		t = t.Elem
	}
	for i := range t.Fields {
		lines = appendDefaults(lines, path+"."+t.Fields[i].Name, &t.Fields[i])
	}
	return lines
}

// define sets the text of the fold, as the engine of that layout and that fold
// number has it, and its digest.
func (f *Fold) define(canonical string, layout, fold int) {
	var b strings.Builder
	fmt.Fprintf(&b, "snapshots %d\nfold %d\ntopic %q partitioner %s\nstate %q\n", layout, fold, f.Topic, f.partitioner, f.State)
	b.WriteString(canonical)
	f.Text = b.String()
	sum := sha256.Sum256([]byte(f.Text))
	f.Digest = hex.EncodeToString(sum[:])
}
