package projection

import (
	"fmt"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/rules"
	"github.com/millrace/millrace/streams/snapshot"
)

// snapshotInterpreter makes rows of snapshots. It is not safe for concurrent use.
type snapshotInterpreter struct {
	reader    streams.Reader
	paths     int
	row, gone *rules.Evaluator
}

func newSnapshotInterpreter(v *View) (*snapshotInterpreter, error) {
	row := v.program.Snapshot
	reader, err := v.codec.Reader(row.Type, row.Paths)
	if err != nil {
		return nil, fmt.Errorf("view %s: state %s: %w", v.Name, row.Type, err)
	}
	return &snapshotInterpreter{reader, len(row.Paths), row.NewEvaluator(), v.program.Gone.NewEvaluator()}, nil
}

// apply puts the row of a stream in the place of the one that was there, or none
// where the stream has ended or is forgotten. An error leaves the fold as it was.
func (in *snapshotInterpreter) apply(r *snapshot.Record, partition int32, fold *Fold) error {
	evaluator := in.gone
	if !r.Gone && !r.Forgotten {
		evaluator = in.row
		if err := in.reader.Read(r.Value, in.row.Slots()[:in.paths]); err != nil {
			return err
		}
	}
	slots := evaluator.Slots()
	metas := slots[len(slots)-int(rules.MetaCount):]
	metas[rules.MetaStream].SetString(string(r.Stream))
	metas[rules.MetaVersion].SetInt(r.Version)
	steps, err := evaluator.Eval()
	if err != nil {
		return err
	}
	return fold.Apply(Source{Partition: partition, Offset: r.Offset}, steps)
}
