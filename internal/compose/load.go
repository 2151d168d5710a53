package compose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/worker"
)

// FileError is a configuration file that cannot be read. What is wrong within
// one is a [worker.Problems].
type FileError struct {
	Reason error
	// Missing says that there is no such file.
	Missing bool
}

// Error says which file, why, and what to do.
func (e *FileError) Error() string { return e.Reason.Error() }

// Unwrap returns the reason.
func (e *FileError) Unwrap() error { return e.Reason }

// Load reads the shared blocks of a configuration and nothing else of it.
func (s *Shared) Load(name string) error {
	_, err := Load(name, s.Blocks())
	return err
}

// LoadCodec reads the shared blocks of a configuration and opens the folder of
// its schemas block.
func (s *Shared) LoadCodec(name string) (*avro.Codec, error) {
	f, err := Load(name, s.Blocks())
	if err != nil {
		return nil, err
	}
	codec, err := avro.OpenFolder(s.Schemas.Folder)
	if err != nil {
		f.Problemf("schemas.folder", "%v", err)
	}
	return codec, f.Err()
}

// LoadBlocks reads the blocks of a configuration without opening schemas or
// compiling rules: enough to look at what is in Kafka and Redis.
func (p *Projector) LoadBlocks(name string) error {
	_, err := Load(name, p.Blocks())
	return err
}

// Load reads and checks what a projector needs of a configuration.
func (p *Projector) Load(ctx context.Context, name string) error {
	src, err := read(name)
	if err != nil {
		return err
	}
	return p.LoadSource(ctx, name, src)
}

// LoadSource reads and checks the text of a configuration; name is what messages
// call it.
func (p *Projector) LoadSource(ctx context.Context, name string, src []byte) error {
	f, err := p.check(ctx, name, src, p.Blocks())
	if err != nil {
		return err
	}
	return f.Err()
}

// Part is another worker of a whole configuration, with a block of its own. This
// package cannot name it: no worker is linked with another.
type Part struct {
	// Block is the name of its block, and Config what that is read to.
	Block  string
	Config any
	// Check adds what else is wrong with the block to the file. The shared blocks
	// were read before.
	Check func(context.Context, *worker.File) error
}

// LoadWhole reads and checks a configuration with all the blocks that it has. One
// that no worker can run is a problem.
func (p *Projector) LoadWhole(ctx context.Context, name string, others ...Part) error {
	src, err := read(name)
	if err != nil {
		return err
	}
	has, _ := worker.Load(name, src, nil, worker.KnownBlocks())
	blocks := p.Blocks()
	if !has.Has("projector") {
		delete(blocks, "projector")
	}
	others = slices.DeleteFunc(others, func(o Part) bool { return !has.Has(o.Block) })
	for _, o := range others {
		blocks[o.Block] = o.Config
	}
	f, err := p.check(ctx, name, src, blocks)
	for _, o := range others {
		err = errors.Join(err, o.Check(ctx, f))
	}
	if err != nil {
		return err
	}
	if f.Has("saga_runner") {
		f.Problemf("saga_runner", "no worker of this version runs a saga_runner block, so nobody can check it; take it out")
	}
	return f.Err()
}

// check returns the file with all that is wrong with these blocks.
func (p *Projector) check(ctx context.Context, name string, src []byte, blocks map[string]any) (*worker.File, error) {
	var admin worker.AdminConfig
	blocks["admin"] = &admin
	f, _ := worker.Load(name, src, blocks, worker.KnownBlocks()) // f has the problems
	return f, p.Check(ctx, f, true)
}

// Load reads these blocks of a configuration and nothing else of it. The file is
// there with an error of what is in it, too.
func Load(name string, blocks map[string]any) (*worker.File, error) {
	src, err := read(name)
	if err != nil {
		return nil, err
	}
	return worker.Load(name, src, blocks, worker.KnownBlocks())
}

func read(name string) ([]byte, error) {
	src, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &FileError{Reason: fmt.Errorf("there is no configuration %s", name), Missing: true}
	}
	if err != nil {
		return nil, &FileError{Reason: fmt.Errorf("reading the configuration: %w", err)}
	}
	return src, nil
}
