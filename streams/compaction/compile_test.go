package compaction

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// TestAStateWithoutANameIsToldOnce, of a fold in Go, too: what it is without one is
// not asked.
func TestAStateWithoutANameIsToldOnce(t *testing.T) {
	for state, want := range map[string]string{
		"state: \"\"\n": "4:8: state is empty; name its record type",
		"":              "2:7: state is missing; name the record type of the state",
	} {
		var folds [1]yaml.Node
		if err := yaml.Unmarshal([]byte("\nname: order\ntopic: orders\n"+state+"on_error: stop\nkind: orders-in-go\n"), &folds[0]); err != nil {
			t.Fatal(err)
		}
		_, problems := Config{Snapshots: folds[:]}.Compile(newCodec(t), nil, map[string]Kind{"orders-in-go": typedOrder("1")})
		if len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), want) {
			t.Errorf("problems %v, want one: %s", problems, want)
		}
	}
}
