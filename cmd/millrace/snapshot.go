package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/internal/compose/compactor"
	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/rules"
	"github.com/millrace/millrace/streams/snapshot"
)

// declaredFolds reads the blocks of a compactor and returns the folds with these
// names, or all where none is named. They need not compile here: without the
// schemas, or for one in Go, all that can be seen without is still there.
func declaredFolds(c *compactor.Compactor, config string, names ...string) ([]*rules.Fold, error) {
	if _, err := compose.Load(config, c.Blocks()); err != nil {
		return nil, err
	}
	var all []*rules.Fold
	for i := range c.Config.Snapshots {
		f, problems := rules.ParseFold(&c.Config.Snapshots[i])
		if len(problems) > 0 {
			return nil, fmt.Errorf("%s:%w; millrace check %s tells all that is wrong", config, problems[0], config)
		}
		all = append(all, f)
	}
	return named(all, names, func(f *rules.Fold) string { return f.Name })
}

// named returns the folds with these names, or all where none is named.
func named[F any](all []F, names []string, nameOf func(F) string) (folds []F, err error) {
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	for _, f := range all {
		known = append(known, nameOf(f))
	}
	for _, name := range names {
		i := slices.Index(known, name)
		if i < 0 {
			return nil, unknownFold(name, known)
		}
		folds = append(folds, all[i])
	}
	return folds, nil
}

func unknownFold(name string, known []string) error {
	if near := streams.Nearest(name, known); near != "" {
		return &usageError{fmt.Sprintf("there is no fold %q; did you mean %q?", name, near)}
	}
	return &usageError{fmt.Sprintf("there is no fold %q; the configuration has: %s", name, strings.Join(known, ", "))}
}

// loadFolds reads and checks all that a compactor needs of a configuration.
func loadFolds(ctx context.Context, c *compactor.Compactor, config string) error {
	f, err := compose.Load(config, c.Blocks())
	if f == nil {
		return err
	}
	return errors.Join(c.Check(ctx, f, true), f.Err())
}

// openSnapshots looks a snapshot topic and that of its events up.
func openSnapshots(ctx context.Context, cfg kafka.Config, topic, snapshots string) (*snapshot.Topic, error) {
	t, err := snapshot.Open(ctx, cfg, topic, snapshots)
	if errors.Is(err, kafka.ErrNoTopic) {
		return nil, fmt.Errorf("%w; a compactor with this configuration makes %s when it starts, as soon as %s is there", err, snapshots, topic)
	}
	return t, err
}
