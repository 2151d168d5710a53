package compose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/millrace/millrace/streams/worker"
)

// Load reads the shared blocks of a configuration and nothing else of it.
func (s *Shared) Load(name string) error {
	src, err := read(name)
	if err != nil {
		return err
	}
	_, err = worker.Load(name, src, s.Blocks(), worker.KnownBlocks())
	return err
}

// Load reads and checks a whole configuration.
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
	var admin worker.AdminConfig
	blocks := p.Blocks()
	blocks["admin"] = &admin
	f, err := worker.Load(name, src, blocks, worker.KnownBlocks())
	if f == nil {
		return err
	}
	if err := p.Check(ctx, f, true); err != nil {
		return err
	}
	return f.Err()
}

func read(name string) ([]byte, error) {
	src, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening %s: there is no such file; name the configuration by --config FILE", name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return src, nil
}

// LoadBlocks reads the blocks of a configuration without opening schemas or
// compiling rules: enough to look at what is in Kafka and Redis.
func (p *Projector) LoadBlocks(name string) error {
	src, err := read(name)
	if err != nil {
		return err
	}
	_, err = worker.Load(name, src, p.Blocks(), worker.KnownBlocks())
	return err
}
