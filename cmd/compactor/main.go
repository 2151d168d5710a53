// Command compactor keeps the snapshot topics of a configuration file: the state
// of each stream, so that whoever must catch up reads one record for each.
package main

import (
	"os"

	"github.com/millrace/millrace/internal/compose/compactor"
	"github.com/millrace/millrace/streams/worker"
)

const usage = `compactor folds the events of Kafka topics to states, one for each stream, and
keeps them in snapshot topics, exactly once. Folds are declared in the compactor
block of the configuration.

Examples:
  compactor --config fines.yaml            keep the snapshots
  compactor --config fines.yaml --check    say what is wrong with the folds, and exit
  curl http://127.0.0.1:8080/readyz        what it still waits for

Several compactors with the same file share the partitions. Each can be stopped,
killed or added at any time. SIGTERM and SIGINT let it write what it has folded and
leave within admin.grace; a second one ends it at once.
`

func main() {
	var c compactor.Compactor
	os.Exit(worker.Main(worker.App{
		Name: "compactor", Usage: usage, Blocks: c.Blocks(), Check: c.Check, Run: c.Run,
	}))
}
