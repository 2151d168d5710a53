package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v4"

	"github.com/millrace/millrace/streams"
)

// The worker of the stories: it reads the blocks kafka, topics and projector.
type (
	kafkaBlock struct {
		Brokers []string       `yaml:"brokers" required:"true"`
		Client  string         `yaml:"client_id"`
		Linger  time.Duration  `yaml:"linger"`
		Memory  streams.Size   `yaml:"fold_memory"`
		Retries int8           `yaml:"retries"`
		Max     uint           `yaml:"max"`
		Ratio   float64        `yaml:"ratio"`
		SASL    *saslBlock     `yaml:"sasl"`
		Labels  map[string]int `yaml:"labels"`
		Hidden  string         `yaml:"-"`
	}
	saslBlock struct {
		User     string         `yaml:"user" required:"true"`
		Password streams.Secret `yaml:"password"`
		Plain    *bool          `yaml:"plain"`
	}
	topicBlock struct {
		Partitioner string `yaml:"partitioner"`
	}
	projectorBlock struct {
		Views []yaml.Node `yaml:"views"`
		Ops   int         `yaml:"ops"`
	}
)

func (s *saslBlock) String() string {
	if s == nil {
		return "none"
	}
	return fmt.Sprintf("{%s %s %v}", s.User, s.Password, s.Plain != nil && *s.Plain)
}

func (c kafkaBlock) WithDefaults() kafkaBlock {
	c.Client = cmp.Or(c.Client, "millrace")
	return c
}

func (c kafkaBlock) Validate() error {
	var errs []error
	for i, b := range c.Brokers {
		if !strings.Contains(b, ":") {
			errs = append(errs, streams.FieldErrorf(fmt.Sprintf("brokers[%d]", i), "%q has no port", b))
		}
	}
	if len(c.Brokers) == 0 {
		errs = append(errs, streams.FieldErrorf("brokers", "name at least one broker"))
	}
	if c.SASL != nil && c.SASL.Password == "" {
		errs = append(errs, streams.FieldErrorf("sasl.password", "a user needs a password"))
	}
	return errors.Join(errs...)
}

func (c topicBlock) WithDefaults() topicBlock {
	c.Partitioner = cmp.Or(c.Partitioner, "murmur2")
	return c
}

func (c topicBlock) Validate() error {
	if c.Partitioner != "murmur2" && c.Partitioner != "any" {
		return streams.FieldErrorf("partitioner", "%q is neither murmur2 nor any", c.Partitioner)
	}
	return nil
}

// testApp prints what it was configured with. The view "wait" makes it run
// until it is told to stop, with a file "running" beside it, and "fail" makes it fail.
func testApp() App {
	kafka, topics, projector := &kafkaBlock{}, map[string]topicBlock{}, &projectorBlock{}
	return App{
		Name:    "tinyworker",
		Usage:   "tinyworker shows what it read.\n\nTry:\n  tinyworker --config tiny.yaml --check\n",
		Version: "v1.2.3",
		Blocks:  map[string]any{"kafka": kafka, "topics": &topics, "projector": projector},
		Check: func(_ context.Context, f *File, _ bool) error {
			for _, n := range projector.Views {
				if n.Value == "bad" {
					f.Add(streams.Problem{Line: n.Line, Column: n.Column, Message: "this view is bad"})
				}
				if n.Value == "nowhere" {
					return errors.New("an error without a place")
				}
			}
			return nil
		},
		Run: func(ctx context.Context, r Runtime) error {
			r.Health.SetStarted()
			fmt.Printf("%+v %+v %d views\n", *kafka, topics, len(projector.Views))
			for _, n := range projector.Views {
				if n.Value == "wait" {
					if err := os.WriteFile("running", nil, 0o600); err != nil {
						return err
					}
					<-ctx.Done()
					return ctx.Err()
				}
				if n.Value == "fail" {
					return errors.New("the work failed")
				}
			}
			return nil
		},
	}
}

type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){
		"tinyworker": func() { os.Exit(Main(testApp())) },
	})
}
