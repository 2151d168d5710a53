// Package compose ties the packages of a worker together: which blocks of the
// configuration it reads, how they are checked together, and what runs. The
// mains of the workers and the operator's command share it.
package compose

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/projection"
	"github.com/millrace/millrace/streams/rules"
	"github.com/millrace/millrace/streams/worker"
)

// Shared are the blocks that several workers read.
type Shared struct {
	Kafka   kafka.Config
	Redis   projection.RedisConfig
	Schemas avro.Config
	Topics  map[string]kafka.TopicConfig
}

// Blocks returns pointers to the blocks by name.
func (s *Shared) Blocks() map[string]any {
	return map[string]any{"kafka": &s.Kafka, "redis": &s.Redis, "schemas": &s.Schemas, "topics": &s.Topics}
}

// Projector is a projector as its file configures it.
type Projector struct {
	Shared
	Config projection.Config
	// Views are the compiled views of the file, after Check.
	Views []*projection.View
	// Codec reads the events. Check opens the folder of the schemas block where it
	// is nil.
	Codec *avro.Codec
}

// Blocks returns pointers to the blocks by name.
func (p *Projector) Blocks() map[string]any {
	blocks := p.Shared.Blocks()
	blocks["projector"] = &p.Config
	return blocks
}

// Check opens the schemas and compiles the views. What is wrong with them is
// added to the file: of views whose schemas cannot be opened, at least what can
// be seen without.
func (p *Projector) Check(_ context.Context, f *worker.File, _ bool) error {
	if p.Codec == nil && p.Schemas.Folder != "" { // of a missing one the block has said so
		codec, err := avro.OpenFolder(p.Schemas.Folder)
		if err != nil {
			f.Problemf("schemas.folder", "%v", err)
		}
		p.Codec = codec
	}
	p.Views = nil
	folds := foldsOf(f)
	first := map[string]*rules.View{}
	for i := range p.Config.Views {
		v, problems := rules.Parse(&p.Config.Views[i])
		f.Add(problems...)
		if v == nil {
			continue
		}
		if first[v.Name] != nil && v.Name != "" {
			f.Add(v.Problem(fmt.Sprintf("there is another view %s; a view has one definition", v.Name)))
		}
		first[v.Name] = v
		if p.Codec == nil {
			continue
		}
		view, problems := folds.compile(v, p.Codec, p.Topics)
		f.Add(problems...)
		p.Views = append(p.Views, view)
	}
	return nil
}

// farewell is how long the last batches may wait for a Redis that stands still,
// once the worker is to stop. Less than the usual grace period, more than any
// batch of a Redis that answers.
const farewell = 3 * time.Second

// Run runs the views until ctx ends.
func (p *Projector) Run(ctx context.Context, r worker.Runtime) error {
	projector, closeRedis, err := p.New(projection.Options{Metrics: projection.NewMetrics(r.Metrics), Logger: r.Log})
	if err != nil {
		return err
	}
	r.Health.Ask("projector", projector.NotReady)
	r.Health.SetStarted()
	// a command that is under way does not see the end of ctx, only that of its connection
	defer context.AfterFunc(ctx, func() { time.AfterFunc(farewell, func() { _ = closeRedis() }) })()
	return errors.Join(projector.Run(ctx), closeRedis())
}

// New makes the projector of the file with the options that a file does not
// have. The function that it returns closes the connections to Redis, once.
func (p *Projector) New(o projection.Options) (*projection.Projector, func() error, error) {
	client, err := projection.OpenRedis(p.Redis)
	if err != nil {
		return nil, nil, err
	}
	o.Config, o.Kafka, o.Topics, o.Views = p.Config, p.Kafka, p.Topics, p.Views
	o.Redis, o.Prefix = client, p.Redis.Prefix
	projector, err := projection.New(o)
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return projector, sync.OnceValue(client.Close), nil
}
