// Package compactor ties the packages of a compactor together, apart from those
// of other workers: the binary must not be linked with them.
package compactor

import (
	"context"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/compaction"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/worker"
)

// Compactor is a compactor that a configuration file describes.
type Compactor struct {
	Kafka   kafka.Config
	Schemas avro.Config
	Topics  map[string]kafka.TopicConfig
	Config  compaction.Config
	// Kinds are the folds in Go that the file may name.
	Kinds map[string]compaction.Kind
	// Folds are the compiled folds of the file, after Check.
	Folds []*compaction.Fold
	// Codec reads the events. Check opens the folder of the schemas block where it
	// is nil.
	Codec *avro.Codec
}

// Blocks are the blocks of the file that a compactor reads.
func (c *Compactor) Blocks() map[string]any {
	return map[string]any{"kafka": &c.Kafka, "schemas": &c.Schemas, "topics": &c.Topics, "compactor": &c.Config}
}

// Check opens the schemas and compiles the folds. It asks nobody.
func (c *Compactor) Check(_ context.Context, f *worker.File, _ bool) error {
	if c.Codec == nil && c.Schemas.Folder != "" { // of a missing one the block has said so
		codec, err := avro.OpenFolder(c.Schemas.Folder)
		if err != nil {
			f.Problemf("schemas.folder", "%v", err)
		}
		c.Codec = codec
	}
	var codec streams.Codec
	if c.Codec != nil {
		codec = c.Codec
	}
	var problems []streams.Problem
	c.Folds, problems = c.Config.Compile(codec, c.Topics, c.Kinds)
	f.Add(problems...)
	return nil
}

// Run keeps the snapshots until ctx ends.
func (c *Compactor) Run(ctx context.Context, r worker.Runtime) error {
	compactor, err := c.New(compaction.Options{Metrics: compaction.NewMetrics(r.Metrics), Logger: r.Log})
	if err != nil {
		return err
	}
	r.Health.Ask("compactor", compactor.NotReady)
	r.Health.SetStarted()
	return compactor.Run(ctx)
}

// New returns the compactor of the file. The options may hold what no file says.
func (c *Compactor) New(o compaction.Options) (*compaction.Compactor, error) {
	o.Config, o.Kafka, o.Topics, o.Folds = c.Config, c.Kafka, c.Topics, c.Folds
	return compaction.New(o)
}
