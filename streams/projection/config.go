package projection

import (
	"cmp"
	"errors"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// Config is the `projector` block of the configuration.
type Config struct {
	// Views are the views that this worker runs, in the language of package
	// rules.
	Views []yaml.Node `yaml:"views"`
	// BatchMaxOps closes the batch of a hot partition: an op is one field of one
	// row. Default 2000. Smaller costs speed; larger holds Redis, which serves
	// nobody else while a script runs: 2,000 ops hold it for 1 to 6 ms.
	BatchMaxOps int `yaml:"batch_max_ops"`
	// ColdBatchMaxOps closes the batch of a cold partition. Default 20000, which
	// holds Redis for 10 to 40 ms. Folding more events into a row is what makes a
	// build fast.
	ColdBatchMaxOps int `yaml:"cold_batch_max_ops"`
	// ColdBatchMaxAge closes the batch of a cold partition however few rows it
	// has, so that progress is seen and little is read again after a crash.
	// Default 1s.
	ColdBatchMaxAge time.Duration `yaml:"cold_batch_max_age"`
	// FoldMemory bounds the folds of all partitions of all views together. A
	// partition that finds it used up closes its batch. Default 128MiB.
	FoldMemory streams.Size `yaml:"fold_memory"`
}

// WithDefaults returns a copy in which every zero is its default.
func (c Config) WithDefaults() Config {
	c.BatchMaxOps = cmp.Or(c.BatchMaxOps, 2_000)
	c.ColdBatchMaxOps = cmp.Or(c.ColdBatchMaxOps, 20_000)
	c.ColdBatchMaxAge = cmp.Or(c.ColdBatchMaxAge, time.Second)
	c.FoldMemory = cmp.Or(c.FoldMemory, 128*streams.MiB)
	return c
}

// Validate says what is wrong with a configuration that has its defaults.
func (c Config) Validate() error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, streams.FieldErrorf(field, field+" "+format, args...))
	}
	if len(c.Views) == 0 {
		wrong("views", "is empty; a projector runs at least one view")
	}
	if c.BatchMaxOps < 1 {
		wrong("batch_max_ops", "is %d; it must be at least 1", c.BatchMaxOps)
	}
	if c.ColdBatchMaxOps < c.BatchMaxOps {
		wrong("cold_batch_max_ops", "is %d; it must not be less than batch_max_ops, which is %d", c.ColdBatchMaxOps, c.BatchMaxOps)
	}
	if c.ColdBatchMaxAge < 0 {
		wrong("cold_batch_max_age", "is %v; it must not be negative", c.ColdBatchMaxAge)
	}
	if c.FoldMemory < streams.MiB {
		wrong("fold_memory", "is %v; it must be at least 1MiB", c.FoldMemory)
	}
	return errors.Join(errs...)
}
