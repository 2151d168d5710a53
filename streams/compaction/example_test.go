package compaction_test

import (
	"context"
	"os"

	"github.com/millrace/millrace/streams"
	"github.com/millrace/millrace/streams/avro"
	"github.com/millrace/millrace/streams/compaction"
	"github.com/millrace/millrace/streams/kafka"
	"github.com/millrace/millrace/streams/worker"
)

// Account is the state of an account, and those below are the data of its events:
// a field for each of their schemas'.
type Account struct {
	Owner   string `avro:"owner"`
	Balance int64  `avro:"balance"`
}

type (
	Opened struct {
		Owner string `avro:"owner"`
	}
	Deposited struct {
		Amount int64 `avro:"amount"`
	}
	Closed struct{}
)

// accounts is the fold. When it gives other states for the same events, its
// digest is raised, and with it the version in the configuration.
func accounts() compaction.Kind {
	fold := compaction.NewTyped[Account]("1")
	compaction.On(fold, "Opened", func(a Account, d Opened, _ compaction.Event) (Account, bool, error) {
		a.Owner = d.Owner
		return a, false, nil
	})
	compaction.On(fold, "Deposited", func(a Account, d Deposited, _ compaction.Event) (Account, bool, error) {
		a.Balance += d.Amount
		return a, false, nil
	})
	compaction.On(fold, "Closed", func(a Account, _ Closed, _ compaction.Event) (Account, bool, error) {
		return a, true, nil // the stream has ended
	})
	return fold.Kind()
}

// A compactor with a fold of its own, which the configuration names:
//
//	compactor:
//	  snapshots:
//	    - name: account
//	      topic: accounts
//	      state: Account
//	      on_error: stop
//	      kind: accounts
func ExampleTyped() {
	var (
		brokers kafka.Config
		schemas avro.Config
		topics  map[string]kafka.TopicConfig
		config  compaction.Config
		folds   []*compaction.Fold
	)
	main := worker.App{
		Name: "my-compactor", Usage: "my-compactor keeps the accounts.\n",
		Blocks: map[string]any{"kafka": &brokers, "schemas": &schemas, "topics": &topics, "compactor": &config},
		Check: func(_ context.Context, f *worker.File, _ bool) error {
			codec, err := avro.OpenFolder(schemas.Folder)
			if err != nil {
				f.Problemf("schemas.folder", "%v", err)
				return nil
			}
			var problems []streams.Problem
			folds, problems = config.Compile(codec, topics, map[string]compaction.Kind{"accounts": accounts()})
			f.Add(problems...)
			return nil
		},
		Run: func(ctx context.Context, r worker.Runtime) error {
			c, err := compaction.New(compaction.Options{
				Config: config, Kafka: brokers, Topics: topics, Folds: folds,
				Metrics: compaction.NewMetrics(r.Metrics), Logger: r.Log,
			})
			if err != nil {
				return err
			}
			r.Health.Ask("compactor", c.NotReady)
			r.Health.SetStarted()
			return c.Run(ctx)
		},
	}
	os.Args = []string{"my-compactor", "--config", "testdata/accounts.yaml", "--check"}
	worker.Main(main) // and its result to os.Exit
	// Output: testdata/accounts.yaml: ok
}
