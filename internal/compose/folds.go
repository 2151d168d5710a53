package compose

import (
	"fmt"
	"maps"
	"slices"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/projection"
	"github.com/millrace/millrace/streams/rules"
	"github.com/millrace/millrace/streams/worker"
)

// folds are those that the compactor of the file runs, by their topic: views may
// begin with their snapshots. What is wrong with them is the compactor's to tell.
type folds map[string][]fold

type fold struct {
	*rules.Fold
	broken bool
}

func foldsOf(f *worker.File) folds {
	all := folds{}
	for _, n := range f.Peek("compactor", "snapshots") {
		if parsed, problems := rules.ParseFold(n); parsed != nil {
			all[parsed.Topic] = append(all[parsed.Topic], fold{parsed, len(problems) > 0})
		}
	}
	return all
}

// compile compiles a view, where the fold that it needs is there and sound.
func (all folds) compile(v *rules.View, codec *avro.Codec, topics map[string]kafka.TopicConfig) (*projection.View, []streams.Problem) {
	if v.From != "" && len(v.Topics) == 1 {
		found := all[v.Topics[0]]
		switch near := streams.Nearest(v.Topics[0], slices.Sorted(maps.Keys(all))); {
		case len(found) == 0 && near != "":
			return nil, []streams.Problem{v.FromProblem(fmt.Sprintf("no fold keeps snapshots of topic %s; fold %s is of topic %s: is that the one?", v.Topics[0], all[near][0].Name, near))}
		case len(found) > 1:
			return nil, []streams.Problem{v.FromProblem(fmt.Sprintf("compactor.snapshots has %d folds of topic %s (%s and %s), so it is not clear which snapshots the view begins with; leave one",
				len(found), v.Topics[0], found[0].Name, found[1].Name))}
		case len(found) == 1 && found[0].broken:
			return nil, []streams.Problem{v.FromProblem(fmt.Sprintf("the view begins with the snapshots of fold %s, which has problems of its own; compactor --check tells them", found[0].Name))}
		}
	}
	return projection.CompileView(v, codec, topics, func(topic string) *rules.Fold {
		if found := all[topic]; len(found) > 0 {
			return found[0].Fold
		}
		return nil
	})
}
