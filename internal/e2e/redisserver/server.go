// Package redisserver runs a real redis-server on this machine: one that keeps
// nothing on disk unless it is told to, so that a test decides what a restart
// brings back. [Server.Save] keeps a dump, [Server.Restore] goes back to it;
// any other restart is empty.
package redisserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/millrace/millrace/internal/e2e/daemon"
)

// Server is a Redis server in a folder of its own, on a port of 127.0.0.1.
type Server struct {
	Dir  string
	Port int
	// Args are further arguments of redis-server, from its next start on.
	Args []string
}

// Addr returns the address of the server.
func (s Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

// Process returns the process of the server.
func (s Server) Process() daemon.Daemon { return daemon.Daemon{Dir: s.Dir, Name: "redis"} }

func (s Server) dump() string { return filepath.Join(s.Dir, "dump.rdb") }

// Start starts the server, empty, and waits until it answers. One that runs is
// left alone.
func (s Server) Start(ctx context.Context) error {
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return fmt.Errorf("starting Redis: %w", err)
	}
	if pid, err := s.Process().PID(); pid != 0 || err != nil {
		return err
	}
	if err := os.Remove(s.dump()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("starting Redis: %w", err)
	}
	return s.start(ctx)
}

// start starts the server with the dump that lies in its folder, if any.
func (s Server) start(ctx context.Context) error {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return fmt.Errorf("starting Redis needs redis-server (apt-get install redis-server): %w", err)
	}
	args := append([]string{
		"--bind", "127.0.0.1", "--port", strconv.Itoa(s.Port),
		"--dir", s.Dir, "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction",
	}, s.Args...)
	ended, err := s.Process().Start("redis-server", args...)
	if err != nil {
		return err
	}
	client := s.client()
	for {
		select {
		case <-ended:
			return errors.Join(fmt.Errorf("starting Redis: it ended; its log ends with\n%s", s.Process().LogTail(10)), client.Close())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("starting Redis: %w", context.Cause(ctx)), client.Close())
		case <-time.After(10 * time.Millisecond):
		}
		if s.answers(ctx, client) {
			return client.Close()
		}
	}
}

// answers says whether the server at the address answers, and is this one: where
// the port was in use it is another.
func (s Server) answers(ctx context.Context, client *redis.Client) bool {
	pid, err := s.Process().PID()
	if err != nil || pid == 0 {
		return false
	}
	info, err := client.Info(ctx, "server").Result()
	return err == nil && strings.Contains(info, fmt.Sprintf("process_id:%d\r\n", pid))
}

func (s Server) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1, PoolSize: 1})
}

// Stop ends the server. What it held is gone, but for what was saved.
func (s Server) Stop() error { return s.Process().Stop(5 * time.Second) }

// Kill ends the server at once.
func (s Server) Kill() error { return s.Process().Kill() }

// Save keeps what the server holds now in a file.
func (s Server) Save(ctx context.Context, file string) (err error) {
	client := s.client()
	defer func() { err = errors.Join(err, client.Close()) }()
	if err := client.Save(ctx).Err(); err != nil {
		return fmt.Errorf("saving Redis: %w", err)
	}
	if err := os.Rename(s.dump(), file); err != nil {
		return fmt.Errorf("saving Redis: %w", err)
	}
	return nil
}

// Restore kills the server and starts it again with what it held when file was
// saved: what a crash with an older dump, or a failover to a replica that lags,
// leaves behind.
func (s Server) Restore(ctx context.Context, file string) error {
	if err := s.Kill(); err != nil {
		return err
	}
	if err := copyFile(s.dump(), file); err != nil {
		return fmt.Errorf("restoring Redis: %w", err)
	}
	return s.start(ctx)
}

func copyFile(to, from string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
