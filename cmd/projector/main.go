// Command projector builds the views of a configuration file from Kafka into
// Redis and keeps them hot.
package main

import (
	"os"

	"github.com/millrace/millrace/internal/compose"
	"github.com/millrace/millrace/streams/worker"
)

const usage = `projector builds views from Kafka topics into Redis, exactly once, and keeps
them hot. Views are declared in the projector block of the configuration.

Examples:
  projector --config fines.yaml            run the views
  projector --config fines.yaml --check    say what is wrong with them, and exit
  curl http://127.0.0.1:8080/readyz        what it still waits for

Several projectors with the same file share the partitions. Each can be stopped,
killed or added at any time. SIGTERM and SIGINT let it write what it has folded and
leave within admin.grace; a second one ends it at once.
`

func main() {
	compose.Quiet()
	var p compose.Projector
	os.Exit(worker.Main(worker.App{
		Name: "projector", Usage: usage, Blocks: p.Blocks(), Check: p.Check, Run: p.Run,
	}))
}
