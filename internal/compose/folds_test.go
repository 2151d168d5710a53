package compose

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fromSnapshots is a configuration with a view that begins with snapshots, and
// folds, between which %s stands.
const fromSnapshots = `kafka: {brokers: [127.0.0.1:1]}
redis: {addr: 127.0.0.1:1}
schemas: {folder: SCHEMAS}
projector:
  views:
  - name: order
    topics: [orders]
    from: snapshots
    key: "=stream"
    on_error: stop
    snapshot:
      set: {payments: "=state.payments"}
    on:
      Paid: {add: {payments: 1}}
compactor:
  secret: ${NOT_SET_ANYWHERE}
  snapshots:
`

const goodFold = `  - name: order
    topic: ${TOPIC_NOT_SET:-orders}
    to: states
    state: Order
    on_error: stop
    on:
      Paid: {add: {payments: 1}}
`

// TestViewsFindTheirFolds in the block of the compactor, whose own problems are
// not told.
func TestViewsFindTheirFolds(t *testing.T) {
	folder := t.TempDir()
	for name, schema := range map[string]string{
		"Paid":  `{"type":"record","name":"Paid","fields":[]}`,
		"Order": `{"type":"record","name":"Order","fields":[{"name":"payments","type":["null","long"],"default":null}]}`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name+".avsc"), []byte(schema), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct{ folds, want string }{
		"good":      {goodFold, ""},
		"none":      {"", "no fold keeps snapshots of topic orders"},
		"misspelt":  {strings.Replace(goodFold, ":-orders", ":-oders", 1), "f.yaml:8:11: no fold keeps snapshots of topic orders; fold order is of topic oders: is that the one?"},
		"broken":    {goodFold + "    gone: [x]\n", "f.yaml:8:11: the view begins with the snapshots of fold order, which has problems of its own"},
		"of others": {goodFold + "  - name: fine\n    topic: fines\n    nonsense: 1\n", ""},
		"two": {goodFold + strings.NewReplacer("name: order", "name: other", "states", "others").Replace(goodFold),
			"f.yaml:8:11: compactor.snapshots has 2 folds of topic orders (order and other)"},
	} {
		t.Run(name, func(t *testing.T) {
			var p Projector
			src := strings.Replace(fromSnapshots, "SCHEMAS", folder, 1) + c.folds
			err := p.LoadSource(t.Context(), "f.yaml", []byte(src))
			switch {
			case c.want != "":
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "f.yaml:") != 1 {
					t.Errorf("error %v, want %q and nothing else", err, c.want)
				}
			case err != nil:
				t.Error(err)
			case p.Views[0].Snapshots != "states":
				t.Errorf("the view begins with %q", p.Views[0].Snapshots)
			}
		})
	}
}
