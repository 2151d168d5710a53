package main

import (
	"context"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/compose/compactor"
	"github.com/millrace/millrace/streams/worker"
)

// whole is a configuration with all workers that it has.
type whole struct {
	compose.Projector
	compactor compactor.Compactor
}

// load reads and checks the configuration.
func (w *whole) load(ctx context.Context, name string) error {
	return w.LoadWhole(ctx, name, compose.Part{Block: "compactor", Config: &w.compactor.Config, Check: w.checkCompactor})
}

// checkCompactor checks the folds against the schemas that the projector has
// opened.
func (w *whole) checkCompactor(ctx context.Context, f *worker.File) error {
	w.compactor.Kafka, w.compactor.Topics, w.compactor.Codec = w.Kafka, w.Topics, w.Codec
	return w.compactor.Check(ctx, f, true)
}
