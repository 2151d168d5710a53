package projection

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/rules"
	"github.com/millrace/millrace/streams/snapshot"
)

// FoldVersion is the number of the engine's folds: it is raised when the same
// rules would give other rows for the same events, so that no worker goes on
// with rows that another engine made.
const FoldVersion = 1

// View is a view that was compiled against the types of its events. It is
// immutable and safe for concurrent use.
type View struct {
	Name    string
	Version int
	Topics  []string // sorted
	// Snapshots is the topic that the view begins with; empty where that is its
	// first event.
	Snapshots string
	// Digest is the hash of Text: of all that can change a row.
	Digest string
	// Text is the definition in canonical form.
	Text string

	program *rules.Program
	codec   streams.Codec
	topics  map[string]kafka.TopicConfig
}

// CompileView compiles the rules of a view against the event types of the codec
// and the fold that keeps the snapshots of a topic, nil where none does. All
// problems are returned at once.
func CompileView(v *rules.View, codec streams.Codec, topics map[string]kafka.TopicConfig, fold func(topic string) *rules.Fold) (*View, []streams.Problem) {
	program, problems := v.Compile(rules.Options{
		Types:          codec.Types,
		AnyPartitioner: func(topic string) bool { return topics[topic].Partitioner == kafka.PartitionerAny },
		Fold:           fold,
	})
	if len(problems) > 0 {
		return nil, problems
	}
	c := &View{Name: v.Name, Version: v.Version, Topics: slices.Sorted(slices.Values(v.Topics)), program: program, codec: codec, topics: topics}
	if program.Snapshot != nil {
		c.Snapshots = fold(v.Topics[0]).To
	}
	c.define(Layout, FoldVersion)
	return c, nil
}

// define sets the text of the view, as the engine of that layout and that fold
// number has it, and its digest.
func (v *View) define(layout, fold int) {
	v.Text = v.canonical(layout, fold)
	sum := sha256.Sum256([]byte(v.Text))
	v.Digest = hex.EncodeToString(sum[:])
}

// canonical is what the digest is taken of.
func (v *View) canonical(layout, fold int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "layout %d\nfold %d\n", layout, fold)
	for _, t := range v.Topics {
		fmt.Fprintf(&b, "topic %q partitioner %s\n", t, v.topics[t].WithDefaults().Partitioner)
	}
	b.WriteString(v.program.Canonical())
	return b.String()
}

// begin is the position of a partition that has none yet.
func (v *View) begin() Position {
	if v.Snapshots != "" {
		return loadingAt(snapshot.Beginning)
	}
	return At(0)
}

// ID names the view's version in Redis.
func (v *View) ID(prefix string) ViewID {
	return ViewID{Prefix: prefix, View: v.Name, Version: v.Version}
}

// checksPartition says whether the records of a topic must stand in the
// partition that Kafka's default partitioner gives their key.
func (v *View) checksPartition(topic string) bool {
	return v.topics[topic].Partitioner != kafka.PartitionerAny
}
