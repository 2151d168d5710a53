package worker_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace/millrace/streams/worker"
)

// mailer is the block of a worker of one's own.
type mailer struct {
	Server string        `yaml:"server" required:"true"`
	Every  time.Duration `yaml:"every"`
	Batch  int           `yaml:"batch"`
}

// Validate says what the types do not.
func (m mailer) Validate() error {
	if m.Batch < 0 {
		return errors.New("batch must not be negative")
	}
	return nil
}

// All that is wrong is said at once, at its place.
func ExampleLoad() {
	const source = `mailer:
  sever: mail.example.com
  every: 30
kafka: {this: is, not: ours}
`
	_, err := worker.Load("mail.yaml", []byte(source), map[string]any{"mailer": &mailer{}}, worker.KnownBlocks())
	fmt.Println(err)
	// Output:
	// mail.yaml:2:3: unknown setting "sever"; did you mean "server"?
	//       sever: mail.example.com
	//       ^
	// mail.yaml:3:10: mailer.every "30" has no unit; write 30s or 30ms
	//       every: 30
	//              ^
}
