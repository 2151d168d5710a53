package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/streams/projection"
)

// projected is a projector that runs some views of bench.yaml.
type projected struct {
	settings  compose.Projector
	redis     *redis.Client
	projector *projection.Projector
	done      chan error
	stop      context.CancelFunc
}

// start begins to build views of a file from nothing; "all" are all of them.
func start(ctx context.Context, file, topic, views string) (*projected, error) {
	if _, err := brokers(); err != nil {
		return nil, err
	}
	p := &projected{done: make(chan error, 1)}
	if err := environment(topic); err != nil {
		return nil, err
	}
	if err := p.settings.Load(ctx, filepath.Join(folder(), file)); err != nil {
		return nil, err
	}
	p.settings.Views = slices.DeleteFunc(p.settings.Views, func(v *projection.View) bool { return views != "all" && v.Name != views })
	var err error
	if p.redis, err = projection.OpenRedis(p.settings.Redis); err != nil {
		return nil, err
	}
	if err := p.redis.FlushDB(ctx).Err(); err != nil {
		return nil, err
	}
	projector, closeRedis, err := p.settings.New(projection.Options{})
	if err != nil {
		return nil, err
	}
	p.projector = projector
	ctx, p.stop = context.WithCancel(ctx)
	go func() { p.done <- errors.Join(projector.Run(ctx), closeRedis()) }()
	return p, nil
}

// close stops the projector and removes what it wrote.
func (p *projected) close() error {
	p.stop()
	err := <-p.done
	return errors.Join(err, p.redis.FlushDB(context.Background()).Err(), p.redis.Close())
}

// hot waits until every view is hot.
func (p *projected) hot(ctx context.Context) error {
	for ctx.Err() == nil {
		hot := 0
		for _, v := range p.settings.Views {
			s, err := projection.ReadStatus(ctx, p.redis, v.ID(p.settings.Redis.Prefix))
			if err != nil {
				return err
			}
			if s.State == projection.StateHot {
				hot++
			}
		}
		if hot == len(p.settings.Views) {
			return nil
		}
		select {
		case err := <-p.done:
			p.done <- nil // for close
			return fmt.Errorf("the projector stopped: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return ctx.Err()
}

// project builds views of a topic until they are hot.
func project(ctx context.Context, args []string) (any, error) {
	var file, topic, view string
	var rest time.Duration
	f := flag.NewFlagSet("project", flag.ExitOnError)
	f.StringVar(&file, "file", "bench.yaml", "")
	f.StringVar(&topic, "topic", "", "")
	f.StringVar(&view, "view", "", "")
	f.DurationVar(&rest, "rest", 0, "")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	begun := time.Now()
	p, err := start(ctx, file, topic, view)
	if err != nil {
		return nil, err
	}
	if err := p.hot(ctx); err != nil {
		return nil, errors.Join(err, p.close())
	}
	r := rate{Seconds: time.Since(begun).Seconds()}
	for _, one := range p.projector.Progress() {
		if one.View == p.settings.Views[0].Name {
			r.Events += one.Position
		}
	}
	if r.RSS, err = memory("VmHWM:"); err != nil {
		return nil, errors.Join(err, p.close())
	}
	time.Sleep(rest)
	r.HotRSS, err = memory("VmRSS:")
	return r, errors.Join(err, p.close())
}

// memory reads a figure of this process from the kernel, in MiB.
func memory(name string) (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("the kernel does not tell %s", name)
}
