package compaction

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
	// until the next call.
	Fold(before []byte, e Event) (after []byte, gone bool, err error)
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
	program     *rules.FoldProgram // nil for a kind
}

// names says whether the fold knows events of a type. Those of others change
// nothing but the version of their stream.
func (f *Fold) names(eventType string) bool {
	return f.program == nil || f.program.Events[eventType] != nil
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
	kind, known := kinds[f.Kind]
	if f.Kind != "" && !known {
		problems = append(problems, f.Problem(unknownKind(f.Kind, kinds)))
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if f.Kind != "" {
		c.define("kind "+f.Kind+" "+kind.Digest+"\n", Layout, FoldVersion)
		c.folder = func() (Folder, error) { return kind.New(codec, f.State) }
		return c, nil
	}
	c.program = program
	c.define(program.Canonical(), Layout, FoldVersion)
	c.folder = func() (Folder, error) { return newRuleFolder(program, f.State, codec) }
	return c, nil
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
