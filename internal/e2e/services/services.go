package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/millrace/millrace/internal/e2e/kafka"
	"github.com/millrace/millrace/internal/e2e/redisserver"
)

// settings are what start was told; a file in the folder keeps them for the
// other commands.
type settings struct {
	Nodes     int  `json:"nodes"`
	KafkaPort int  `json:"kafka_port"`
	RedisPort int  `json:"redis_port"`
	LongLived bool `json:"long_lived"`
}

// services are those of one folder, locked: one command at a time.
type services struct {
	dir  string
	lock *os.File
}

func open(dir string) (*services, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", dir, err), lock.Close())
	}
	return &services{dir, lock}, nil
}

// close lets the next command in.
func (s *services) close() { _ = s.lock.Close() }

func (s *services) kafka(w settings) kafka.Cluster {
	return kafka.Cluster{
		Dir: filepath.Join(s.dir, "kafka"), Libs: filepath.Join(s.dir, "libs"), Nodes: w.Nodes, Port: w.KafkaPort, LongLived: w.LongLived,
	}
}

func (s *services) redis(w settings) redisserver.Server {
	return redisserver.Server{Dir: filepath.Join(s.dir, "redis"), Port: w.RedisPort}
}

func (s *services) start(ctx context.Context, want settings, stdout io.Writer) error {
	has, err := s.load()
	if err != nil {
		return err
	}
	if has != nil && *has != want {
		return fmt.Errorf("%s holds services with other settings (%d nodes, Kafka on %d, Redis on %d, long-lived %t): stop them first, or give another --dir",
			s.dir, has.Nodes, has.KafkaPort, has.RedisPort, has.LongLived)
	}
	if err := s.save(want); err != nil {
		return err
	}
	if err := s.redis(want).Start(ctx); err != nil {
		return err
	}
	if err := s.kafka(want).Start(ctx); err != nil {
		return err
	}
	s.print(want, stdout)
	return nil
}

// stop stops what runs and removes what it left, but for logs and libraries.
func (s *services) stop() error {
	has, err := s.load()
	if err != nil || has == nil {
		return err
	}
	if err := errors.Join(s.kafka(*has).Stop(), s.redis(*has).Stop()); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(filepath.Join(s.dir, "kafka", "data")), os.Remove(s.file()))
}

func (s *services) status(stdout io.Writer) error {
	has, err := s.load()
	if err != nil {
		return err
	}
	if has == nil {
		return errors.New("nothing was started here: run start")
	}
	for n := 1; n <= has.Nodes; n++ {
		if pid, err := s.kafka(*has).Node(n).PID(); err != nil {
			return err
		} else if pid == 0 {
			return fmt.Errorf("node %d of Kafka does not run: run start again", n)
		}
	}
	if pid, err := s.redis(*has).Process().PID(); err != nil {
		return err
	} else if pid == 0 {
		return errors.New("the Redis server does not run: run start again")
	}
	s.print(*has, stdout)
	return nil
}

// print tells where the services are, and Kafka's libraries for tests that start
// a cluster of their own, as a shell reads it.
func (s *services) print(w settings, stdout io.Writer) {
	fmt.Fprintf(stdout, "export MILLRACE_KAFKA=%s\n", strings.Join(s.kafka(w).Brokers(), ","))
	fmt.Fprintf(stdout, "export MILLRACE_REDIS=%s\n", s.redis(w).Addr())
	fmt.Fprintf(stdout, "export MILLRACE_KAFKA_LIBS=%s\n", s.kafka(w).Libs)
}

func (s *services) file() string { return filepath.Join(s.dir, "services.json") }

// load returns the settings that start left, nil where there are none.
func (s *services) load() (*settings, error) {
	b, err := os.ReadFile(s.file())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var w settings
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("reading %s: %w", s.file(), err)
	}
	return &w, nil
}

func (s *services) save(w settings) error {
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return os.WriteFile(s.file(), b, 0o644)
}
