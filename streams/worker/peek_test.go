package worker

import (
	"strings"
	"testing"
)

// TestPeek: what another worker's block has wrong is not told, nor a secret of it.
func TestPeek(t *testing.T) {
	const text = `kafka: {}
compactor:
  unknown: &x 1
  snapshots:
  - {name: "${NAME:-fine}", topic: "${TOPIC}", state: *x}
  - {name: "${file:key}"}
`
	for _, read := range []bool{false, true} {
		var kafka, compactor struct{}
		blocks := map[string]any{"kafka": &kafka}
		if read {
			blocks["compactor"] = &compactor
		}
		f, err := load(&File{Name: "f.yaml", src: []byte(text)}, blocks, KnownBlocks(), variables{
			env:  func(name string) (string, bool) { return "", false },
			file: func(string) (string, error) { return "geheim", nil },
		})
		if (err != nil) != read {
			t.Fatalf("read %v: %v", read, err)
		}
		items := f.Peek("compactor", "snapshots")
		if len(items) != 2 || lookUp(items[0], "name").Value != "fine" || lookUp(items[0], "topic").Value != "${TOPIC}" || lookUp(items[1], "name").Value != "geheim" {
			t.Errorf("read %v: items %v", read, items)
		}
		if !read && f.Err() != nil {
			t.Errorf("told of a block of others: %v", f.Err())
		}
		f.Problemf("kafka", "it is geheim")
		if strings.Contains(f.Err().Error(), "it is geheim") {
			t.Errorf("read %v: the secret is told: %v", read, f.Err())
		}
	}
}
